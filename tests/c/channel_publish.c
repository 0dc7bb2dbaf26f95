/* One to many: who joins when, what a slow one costs, how its place comes free. */
#include "channels.h"

static const char *address;
static winipc_connection *publisher;

static winipc_connection *publish(uint32_t full, uint64_t capacity, uint32_t peers) {
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PUBLISHER);
  options.full = full;
  options.capacity = capacity;
  options.max_peers = peers;
  address = harness_name("channel:", "publish");
  return publisher = open_with(address, &options);
}

static winipc_connection *subscribe(uint32_t from_oldest) {
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_SUBSCRIBER);
  options.from_oldest = from_oldest;
  return open_with(address, &options);
}

static void close_all(winipc_connection *subscriber) {
  CHECK_OK(winipc_connection_close(subscriber));
  CHECK_OK(winipc_connection_close(publisher));
}

static void send_padded(uint32_t number, size_t size, uint32_t timeout_ms,
                        winipc_status expected) {
  char message[2048] = {0};
  memcpy(message, &number, sizeof number);
  CHECK_STATUS(winipc_send(publisher, message, size, timeout_ms), expected);
}

static void each_of_sixteen_subscribers_gets_everything(void) {
  winipc_connection *subscribers[16];
  publish(WINIPC_FULL_BLOCK, 1 << 16, 16);
  for (int i = 0; i < 16; i++) subscribers[i] = subscribe(0);
  for (uint32_t n = 0; n < 500; n++) send_number(publisher, n);
  for (int i = 0; i < 16; i++)
    for (uint32_t n = 0; n < 500; n++) CHECK_NUMBER(subscribers[i], n);
  CHECK_OK(winipc_drain(publisher, SOON));
  for (int i = 0; i < 16; i++) CHECK_OK(winipc_connection_close(subscribers[i]));
  CHECK_OK(winipc_connection_close(publisher));
}

static void to_send_to_nobody_is_no_error(void) {
  for (uint32_t full = WINIPC_FULL_AUTO; full <= WINIPC_FULL_OVERWRITE_OLDEST; full++) {
    publish(full, SMALL_RING, 4);
    for (uint32_t n = 0; n < 100; n++) send_padded(n, 1000, WINIPC_NO_WAIT, WINIPC_OK);
    CHECK_OK(winipc_connection_close(publisher));
  }
}

static void a_late_subscriber_begins_with_what_comes_next(void) {
  for (uint32_t full = WINIPC_FULL_AUTO; full <= WINIPC_FULL_OVERWRITE_OLDEST; full++) {
    publish(full, 1 << 16, 4);
    for (uint32_t n = 0; n < 100; n++) send_number(publisher, n);
    winipc_connection *late = subscribe(0);
    for (uint32_t n = 100; n < 200; n++) send_number(publisher, n);
    for (uint32_t n = 100; n < 200; n++) CHECK_NUMBER(late, n);
    close_all(late);
  }
}

static void a_late_subscriber_can_begin_with_the_oldest_that_is_kept(void) {
  publish(WINIPC_FULL_AUTO, 1 << 16, 4);
  for (uint32_t n = 0; n < 100; n++) send_number(publisher, n);
  winipc_connection *late = subscribe(1);
  for (uint32_t n = 0; n < 100; n++) CHECK_NUMBER(late, n);
  CHECK_OK(winipc_connection_close(late));
  for (uint32_t n = 100; n < 20000; n++) send_number(publisher, n);
  late = subscribe(1);
  uint32_t first = 0;
  CHECK(receive_number(late, &first, SOON) >= 0);
  CHECK(first > 100 && first < 19000);
  for (uint32_t n = first + 1; n < 20000 && !harness__failures; n++)
    CHECK_NUMBER(late, n);
  close_all(late);
}

static void only_an_overwriting_publisher_keeps_anything(void) {
  publish(WINIPC_FULL_BLOCK, 1 << 16, 4);
  send_number(publisher, 1);
  winipc_connection *late = subscribe(1);
  send_number(publisher, 2);
  CHECK_NUMBER(late, 2);
  close_all(late);
}

/* What it reads and what it is told to have lost is all that was sent. */
static void a_slow_subscriber_is_told_how_many_it_has_lost(void) {
  uint32_t next = 0, number = 0;
  uint64_t lost = 0;
  winipc_status status;
  publish(WINIPC_FULL_AUTO, SMALL_RING, 4);
  winipc_connection *slow = subscribe(0);
  for (uint32_t n = 0; n < 5000; n++) {
    send_padded(n, 20 + n % 500, WINIPC_NO_WAIT, WINIPC_OK);
    if (n % 37 == 36)
      while ((status = receive_number(slow, &number, WINIPC_NO_WAIT)) >= 0) {
        CHECK((status == WINIPC_LOST) == (number != next));
        CHECK_EQUAL(lost_before(slow), number - next);
        lost += number - next;
        next = number + 1;
      }
  }
  CHECK(lost > 1000);
  close_all(slow);
}

static void what_is_lent_and_overwritten_is_told_at_its_release(void) {
  const void *data;
  size_t size;
  publish(WINIPC_FULL_AUTO, SMALL_RING, 4);
  winipc_connection *slow = subscribe(0);
  send_padded(0, 100, SOON, WINIPC_OK);
  CHECK_OK(winipc_channel_peek(slow, SOON, &data, &size));
  for (uint32_t n = 1; n < 100; n++) send_padded(n, 100, WINIPC_NO_WAIT, WINIPC_OK);
  CHECK_STATUS(winipc_channel_release(slow), WINIPC_E_OVERRUN);
  CHECK_RECEIVES(slow, SOON, WINIPC_LOST);
  close_all(slow);
}

/* ---- full ---- */

static uint32_t fill(winipc_status expected) {
  uint32_t sent = 0;
  while (!winipc_send(publisher, &sent, sizeof sent, WINIPC_NO_WAIT)) sent++;
  CHECK_STATUS(winipc_send(publisher, &sent, 4, WINIPC_NO_WAIT), expected);
  return sent;
}

static void a_full_ring_makes_the_send_wait_or_fail(void) {
  publish(WINIPC_FULL_BLOCK, SMALL_RING, 4);
  winipc_connection *slow = subscribe(0), *quick = subscribe(0);
  uint32_t sent = fill(WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_send(publisher, &sent, 4, 20), WINIPC_E_TIMEOUT);
  for (uint32_t n = 0; n < sent; n++) CHECK_NUMBER(quick, n);
  CHECK_STATUS(winipc_send(publisher, &sent, 4, 20), WINIPC_E_TIMEOUT);
  for (uint32_t n = 0; n < sent; n++) CHECK_NUMBER(slow, n);
  send_number(publisher, sent);
  CHECK_NUMBER(quick, sent);
  CHECK_NUMBER(slow, sent);
  CHECK_OK(winipc_connection_close(quick));
  close_all(slow);
  publish(WINIPC_FULL_FAIL, SMALL_RING, 4);
  slow = subscribe(0);
  sent = fill(WINIPC_E_WOULD_BLOCK);
  CHECK_STATUS(winipc_send(publisher, &sent, 4, SOON), WINIPC_E_WOULD_BLOCK);
  for (uint32_t n = 0; n < sent; n++) CHECK_NUMBER(slow, n);
  close_all(slow);
}

/* ---- subscribers that die ---- */

static void child_subscribes(const char *name) {
  winipc_connection *subscriber = open_as(name, WINIPC_CHANNEL_SUBSCRIBER);
  Sleep(INFINITE);
  winipc_connection_close(subscriber);
}

static DWORD WINAPI kill_soon(void *process) {
  Sleep(100);
  TerminateProcess(process, 7);
  return 0;
}

/* Blocked, by the one that is killed, in a send without end. */
static void send_until_it_is_killed(HANDLE child) {
  uint32_t sent = fill(WINIPC_E_TIMEOUT);
  HANDLE killer = thread_of(kill_soon, child);
  ULONGLONG start = GetTickCount64();
  CHECK_OK(winipc_send(publisher, &sent, 4, WINIPC_FOREVER));
  CHECK(GetTickCount64() - start < 700);
  CHECK_OK(winipc_drain(publisher, 1000));
  join(killer);
  kill_child(child);
}

static void a_killed_subscriber_frees_the_publisher_at_once(void) {
  publish(WINIPC_FULL_BLOCK, SMALL_RING, 4);
  HANDLE child = harness_spawn("child_subscribes", address);
  await_members(address, 2);
  send_until_it_is_killed(child);
  CHECK_OK(winipc_connection_close(publisher));
}

static DWORD WINAPI knock_soon(void *nothing) {
  (void)nothing;
  Sleep(50);
  HANDLE pipe = knock(address);
  Sleep(1500);
  CloseHandle(pipe);
  return 0;
}

/* Though the one that meets the newcomers waits for a hello just then. */
static void a_silent_visitor_does_not_delay_that(void) {
  publish(WINIPC_FULL_BLOCK, SMALL_RING, 4);
  HANDLE child = harness_spawn("child_subscribes", address);
  await_members(address, 2);
  HANDLE visitor = thread_of(knock_soon, NULL);
  send_until_it_is_killed(child);
  CHECK_OK(winipc_connection_close(publisher));
  join(visitor);
}

enum { PLACES = 4, DEATHS = 64 };

static void the_places_of_killed_subscribers_are_free_again(void) {
  HANDLE children[PLACES];
  publish(WINIPC_FULL_BLOCK, 1 << 16, PLACES);
  for (int i = 0; i < DEATHS; i += PLACES) {
    for (int k = 0; k < PLACES; k++)
      children[k] = harness_spawn("child_subscribes", address);
    await_members(address, 1 + PLACES);
    send_number(publisher, 1);
    for (int k = 0; k < PLACES; k++) kill_child(children[k]);
  }
  winipc_connection *last = subscribe(0);
  send_number(publisher, 2);
  CHECK_NUMBER(last, 2);
  await_members(address, 2);
  close_all(last);
}

static void one_too_many_is_told_so_until_a_place_is_free(void) {
  winipc_connection *one_more;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_SUBSCRIBER);
  publish(WINIPC_FULL_BLOCK, 1 << 16, 1);
  winipc_connection *subscriber = subscribe(0);
  CHECK_STATUS(winipc_channel_open(address, &options, 100, &one_more), WINIPC_E_BUSY);
  CHECK(!one_more);
  CHECK_OK(winipc_connection_close(subscriber));
  one_more = subscribe(0);
  send_number(publisher, 5);
  CHECK_NUMBER(one_more, 5);
  close_all(one_more);
}

enum { JOINS = 150 };

static DWORD WINAPI come_and_go(void *stop) {
  while (!*(volatile LONG *)stop) CHECK_OK(winipc_connection_close(subscribe(0)));
  return 0;
}

/* Whoever has joined stays joined, though others leave in the same moment. */
static void a_subscriber_does_not_notice_that_others_leave(void) {
  volatile LONG stop = 0;
  publish(WINIPC_FULL_AUTO, 1 << 16, 16);
  HANDLE others[2];
  for (int i = 0; i < 2; i++) others[i] = thread_of(come_and_go, (void *)&stop);
  for (uint32_t i = 0; i < JOINS && !harness__failures; i++) {
    winipc_connection *subscriber = subscribe(0);
    send_number(publisher, i);
    CHECK_NUMBER(subscriber, i);
    CHECK_OK(winipc_connection_close(subscriber));
  }
  stop = 1;
  for (int i = 0; i < 2; i++) join(others[i]);
  CHECK_OK(winipc_connection_close(publisher));
}

/* ---- the publisher ---- */

static void the_end_of_the_publisher_is_told_after_all_that_it_sent(void) {
  publish(WINIPC_FULL_AUTO, 1 << 16, 4);
  winipc_connection *subscriber = subscribe(0);
  for (uint32_t n = 0; n < 10; n++) send_number(publisher, n);
  CHECK_OK(winipc_connection_close(publisher));
  for (uint32_t n = 0; n < 10; n++) CHECK_NUMBER(subscriber, n);
  CHECK_RECEIVES(subscriber, SOON, WINIPC_E_DISCONNECTED);
  CHECK_RECEIVES(subscriber, SOON, WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(subscriber));
}

static void there_is_one_publisher_of_a_name_at_a_time(void) {
  winipc_connection *second;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PUBLISHER);
  publish(WINIPC_FULL_AUTO, 1 << 16, 4);
  CHECK_STATUS(winipc_channel_open(address, &options, SOON, &second), WINIPC_E_EXISTS);
  options.role = WINIPC_CHANNEL_FUNNEL;
  CHECK_STATUS(winipc_channel_open(address, &options, SOON, &second), WINIPC_E_EXISTS);
  options.role = WINIPC_CHANNEL_LANE;
  CHECK_STATUS(winipc_channel_open(address, &options, SOON, &second),
               WINIPC_E_UNSUPPORTED);
  options.role = WINIPC_CHANNEL_PAIR;
  CHECK_STATUS(winipc_channel_open(address, &options, SOON, &second),
               WINIPC_E_UNSUPPORTED);
  CHECK_OK(winipc_connection_close(publisher));
  CHECK_OK(winipc_connection_close(open_as(address, WINIPC_CHANNEL_FUNNEL)));
}

static void child_publishes(const char *name) {
  winipc_connection *connection = open_as(name, WINIPC_CHANNEL_PUBLISHER);
  for (uint32_t n = 0;; n++) winipc_send(connection, &n, sizeof n, SOON);
}

static void the_name_is_free_when_its_publisher_was_killed(void) {
  address = harness_name("channel:", "publish");
  for (int i = 0; i < 5; i++) {
    HANDLE child = harness_spawn("child_publishes", address);
    winipc_connection *subscriber = subscribe(0);
    uint32_t number;
    CHECK(receive_number(subscriber, &number, SOON) >= 0);
    kill_child(child);
    winipc_status status;
    do status = receive_number(subscriber, &number, SOON);
    while (status >= 0);
    CHECK_STATUS(status, WINIPC_E_DISCONNECTED);
    CHECK_OK(winipc_connection_close(open_as(address, WINIPC_CHANNEL_PUBLISHER)));
    CHECK_OK(winipc_connection_close(subscriber));
  }
}

static DWORD WINAPI publish_late(void *made) {
  Sleep(100);
  *(winipc_connection **)made = open_as(address, WINIPC_CHANNEL_PUBLISHER);
  return 0;
}

static void a_subscriber_waits_for_its_publisher(void) {
  winipc_connection *none;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_SUBSCRIBER);
  address = harness_name("channel:", "publish");
  CHECK_STATUS(winipc_channel_open(address, &options, 50, &none), WINIPC_E_NOT_FOUND);
  HANDLE thread = thread_of(publish_late, &publisher);
  winipc_connection *subscriber = subscribe(0);
  join(thread);
  send_number(publisher, 3);
  CHECK_NUMBER(subscriber, 3);
  close_all(subscriber);
}

static void an_aborted_publisher_takes_nobody_in(void) {
  winipc_connection *none;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_SUBSCRIBER);
  publish(WINIPC_FULL_BLOCK, 1 << 16, 4);
  winipc_connection *subscriber = subscribe(0);
  CHECK_OK(winipc_connection_abort(publisher));
  CHECK_RECEIVES(subscriber, SOON, WINIPC_E_DISCONNECTED);
  CHECK_STATUS(winipc_send(publisher, "x", 1, SOON), WINIPC_E_DISCONNECTED);
  CHECK_STATUS(winipc_channel_open(address, &options, 100, &none),
               WINIPC_E_DISCONNECTED);
  close_all(subscriber);
}

static void each_end_has_only_its_own_verbs(void) {
  publish(WINIPC_FULL_AUTO, 1 << 16, 4);
  winipc_connection *subscriber = subscribe(0);
  winipc_peer peer = {.size = sizeof peer};
  CHECK_RECEIVES(publisher, WINIPC_NO_WAIT, WINIPC_E_UNSUPPORTED);
  CHECK_STATUS(winipc_send(subscriber, "x", 1, SOON), WINIPC_E_UNSUPPORTED);
  CHECK_STATUS(winipc_drain(subscriber, SOON), WINIPC_E_UNSUPPORTED);
  CHECK_STATUS(winipc_drain(publisher, SOON), WINIPC_E_UNSUPPORTED);
  CHECK_STATUS(winipc_connection_peer(publisher, &peer), WINIPC_E_UNSUPPORTED);
  CHECK_OK(winipc_connection_peer(subscriber, &peer));
  CHECK_EQUAL(peer.pid, GetCurrentProcessId());
  close_all(subscriber);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(each_of_sixteen_subscribers_gets_everything),
      TEST(to_send_to_nobody_is_no_error),
      TEST(a_late_subscriber_begins_with_what_comes_next),
      TEST(a_late_subscriber_can_begin_with_the_oldest_that_is_kept),
      TEST(only_an_overwriting_publisher_keeps_anything),
      TEST(a_slow_subscriber_is_told_how_many_it_has_lost),
      TEST(what_is_lent_and_overwritten_is_told_at_its_release),
      TEST(a_full_ring_makes_the_send_wait_or_fail),
      TEST(a_killed_subscriber_frees_the_publisher_at_once),
      TEST(a_silent_visitor_does_not_delay_that),
      TEST(the_places_of_killed_subscribers_are_free_again),
      TEST(one_too_many_is_told_so_until_a_place_is_free),
      TEST(a_subscriber_does_not_notice_that_others_leave),
      TEST(the_end_of_the_publisher_is_told_after_all_that_it_sent),
      TEST(there_is_one_publisher_of_a_name_at_a_time),
      TEST(the_name_is_free_when_its_publisher_was_killed),
      TEST(a_subscriber_waits_for_its_publisher),
      TEST(an_aborted_publisher_takes_nobody_in),
      TEST(each_end_has_only_its_own_verbs),
      CHILD(child_subscribes),
      CHILD(child_publishes),
      END,
  };
  return harness_main(argc, argv, tests);
}
