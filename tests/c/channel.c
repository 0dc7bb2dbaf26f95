/* Channels of two: the five verbs, long messages, loans, what a peer's end means. */
#include "channels.h"

static winipc_connection *client, *server;
static winipc_listener *listener;

static void open_pair(void) {
  const char *address = harness_name("channel:", "pair");
  CHECK_OK(winipc_listen(address, NULL, &listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &client));
  CHECK_OK(winipc_accept(listener, SOON, &server));
}

static void close_pair(void) {
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
}

static void check_received(winipc_connection *from, const char *expected) {
  char buffer[256] = "";
  size_t size;
  CHECK_OK(winipc_receive(from, buffer, sizeof buffer, &size, SOON));
  CHECK_EQUAL(size, strlen(expected));
  CHECK(!memcmp(buffer, expected, strlen(expected)));
}

static void messages_go_both_ways_whole(void) {
  open_pair();
  CHECK_OK(winipc_send(client, "hello", 5, SOON));
  CHECK_OK(winipc_send(client, "again", 5, SOON));
  check_received(server, "hello");
  check_received(server, "again");
  CHECK_OK(winipc_send(server, "reply", 5, SOON));
  check_received(client, "reply");
  close_pair();
}

static void a_message_of_zero_bytes_is_a_message(void) {
  open_pair();
  CHECK_OK(winipc_send(client, NULL, 0, SOON));
  CHECK_OK(winipc_send(client, "x", 1, SOON));
  check_received(server, "");
  check_received(server, "x");
  close_pair();
}

static void too_small_a_buffer_keeps_the_message(void) {
  char small[3];
  size_t size;
  open_pair();
  CHECK_OK(winipc_send(client, "0123456789", 10, SOON));
  CHECK_OK(winipc_send(client, "next", 4, SOON));
  for (int i = 0; i < 2; i++) {
    CHECK_STATUS(winipc_receive(server, small, sizeof small, &size, SOON),
                 WINIPC_E_MESSAGE_TOO_LARGE);
    CHECK_EQUAL(size, 10);
  }
  check_received(server, "0123456789");
  check_received(server, "next");
  close_pair();
}

static void a_message_can_be_received_in_parts(void) {
  char part[4];
  size_t size;
  open_pair();
  CHECK_OK(winipc_send(client, "0123456789", 10, SOON));
  CHECK_STATUS(winipc_receive_part(server, part, 4, &size, SOON), WINIPC_MORE);
  CHECK_EQUAL(size, 4);
  CHECK_STATUS(winipc_receive_part(server, part, 4, &size, SOON), WINIPC_MORE);
  CHECK(!memcmp(part, "4567", 4));
  CHECK_OK(winipc_receive_part(server, part, 4, &size, SOON));
  CHECK_EQUAL(size, 2);
  close_pair();
}

static void an_empty_channel_times_out_and_loses_nothing(void) {
  char buffer[8];
  size_t size;
  open_pair();
  CHECK_STATUS(winipc_receive(server, buffer, sizeof buffer, &size, WINIPC_NO_WAIT),
               WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_receive(server, buffer, sizeof buffer, &size, 30),
               WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_send(client, "late", 4, SOON));
  check_received(server, "late");
  close_pair();
}

static void the_end_is_told_after_all_that_was_sent(void) {
  char buffer[8];
  size_t size;
  open_pair();
  CHECK_OK(winipc_send(client, "last", 4, SOON));
  CHECK_OK(winipc_connection_close(client));
  check_received(server, "last");
  CHECK_STATUS(winipc_receive(server, buffer, sizeof buffer, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_STATUS(winipc_send(server, "x", 1, SOON), WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
}

/* ---- a peer of its own process ---- */

enum { LONG_MESSAGE = 9 << 20 };

static unsigned char byte_at(size_t i) {
  return (unsigned char)(i * 2654435761u >> 11);
}

static void child_echo(const char *address) {
  winipc_connection *c;
  void *data;
  size_t size;
  CHECK_OK(winipc_connect(address, NULL, SOON, &c));
  while (!winipc_receive_alloc(c, &data, &size, SOON)) {
    CHECK_OK(winipc_send(c, data, size, SOON));
    winipc_free(data);
  }
  CHECK_OK(winipc_connection_close(c));
}

static winipc_process *serve_child(const char *child, const char *address) {
  CHECK_OK(winipc_listen(address, NULL, &listener));
  winipc_process *process = start_child(child, address);
  CHECK_OK(winipc_accept(listener, SOON, &server));
  return process;
}

static void long_messages_go_in_pieces_that_nobody_sees(void) {
  char *sent = malloc(LONG_MESSAGE), *received = malloc(LONG_MESSAGE);
  winipc_process *echo = serve_child("child_echo", harness_name("channel:", "long"));
  size_t size;
  for (size_t i = 0; i < LONG_MESSAGE; i++) sent[i] = (char)byte_at(i);
  for (size_t length = LONG_MESSAGE; length > 100000; length /= 3) {
    CHECK_OK(winipc_send(server, sent, length, SOON));
    CHECK_OK(winipc_receive(server, received, LONG_MESSAGE, &size, SOON));
    CHECK_EQUAL(size, length);
    CHECK(!memcmp(sent, received, length));
  }
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
  CHECK_EXIT(echo, 0);
  free(sent);
  free(received);
}

static void child_sends_and_dies(const char *address) {
  winipc_connection *c;
  CHECK_OK(winipc_connect(address, NULL, SOON, &c));
  for (int i = 0; i < 1000; i++) CHECK_OK(winipc_send(c, &i, sizeof i, SOON));
  void *unfinished;
  CHECK_OK(winipc_channel_reserve(c, 100, SOON, &unfinished));
  memset(unfinished, 1, 100);
  TerminateProcess(GetCurrentProcess(), 7);
}

static void a_killed_peer_is_told_after_all_that_it_had_sent(void) {
  winipc_process *child =
      serve_child("child_sends_and_dies", harness_name("channel:", "killed"));
  size_t size;
  int got;
  for (int i = 0; i < 1000; i++) {
    CHECK_OK(winipc_receive(server, &got, sizeof got, &size, SOON));
    CHECK_EQUAL(got, i);
  }
  CHECK_STATUS(winipc_receive(server, &got, sizeof got, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_EXIT(child, 7);
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
}

/* ---- time ---- */

enum { LONG_SPIN_US = 20000000 };

static DWORD WINAPI cancel_soon(void *connection) {
  Sleep(50);
  return (DWORD)winipc_cancel(connection);
}

static DWORD WINAPI close_soon(void *connection) {
  Sleep(50);
  return (DWORD)winipc_connection_close(connection);
}

static DWORD WINAPI abort_soon(void *connection) {
  Sleep(50);
  return (DWORD)winipc_connection_abort(connection);
}

static winipc_status receive_nothing(winipc_connection *from, uint32_t timeout_ms) {
  char byte;
  size_t size;
  return winipc_receive(from, &byte, 1, &size, timeout_ms);
}

static char block[500];

static void fill_up(winipc_connection *to) {
  while (!winipc_send(to, block, sizeof block, WINIPC_NO_WAIT)) continue;
}

/* A receive and a send that wait, each ended by time, cancel, abort and close. */
static void check_that_waits_end(uint32_t spin_us) {
  static const LPTHREAD_START_ROUTINE ends_it[] = {cancel_soon, abort_soon, close_soon};
  static const winipc_status told[] = {WINIPC_E_CANCELLED, WINIPC_E_DISCONNECTED,
                                       WINIPC_E_CLOSED};
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PAIR);
  options.capacity = SMALL_RING;
  options.spin_us = spin_us;
  for (int i = 0; i < 6; i++) {
    ends e = open_ends(&options);
    ULONGLONG start = GetTickCount64();
    CHECK_STATUS(receive_nothing(e.server, 30), WINIPC_E_TIMEOUT);
    fill_up(e.server);
    CHECK_STATUS(winipc_send(e.server, block, sizeof block, 30), WINIPC_E_TIMEOUT);
    HANDLE thread = thread_of(ends_it[i / 2], e.server);
    CHECK_STATUS(i % 2 ? winipc_send(e.server, block, sizeof block, WINIPC_FOREVER)
                       : receive_nothing(e.server, WINIPC_FOREVER),
                 told[i / 2]);
    CHECK(GetTickCount64() - start < 3000);
    join(thread);
    if (i / 2 == 2) e.server = NULL;
    close_ends(&e);
  }
}

static void time_cancel_abort_and_close_end_a_sleep(void) {
  check_that_waits_end(0);
}

static void time_cancel_abort_and_close_end_a_long_spin(void) {
  check_that_waits_end(LONG_SPIN_US);
}

static DWORD WINAPI wait_in_receive(void *connection) {
  return (DWORD)receive_nothing(connection, 300);
}

static void a_second_thread_is_told_that_the_first_is_in(void) {
  ends e = open_ends(NULL);
  HANDLE thread = thread_of(wait_in_receive, e.server);
  Sleep(50);
  CHECK_STATUS(receive_nothing(e.server, 0), WINIPC_E_BUSY);
  send_number(e.server, 1);
  CHECK_EQUAL((int)join(thread), WINIPC_E_TIMEOUT);
  close_ends(&e);
}

/* ---- long messages ---- */

static DWORD WINAPI send_long_ones(void *to) {
  static char message[200000];
  for (int i = 0; i < 20; i++) CHECK_OK(winipc_send(to, message, sizeof message, SOON));
  return 0;
}

static DWORD WINAPI receive_long_ones(void *from) {
  void *data;
  size_t size;
  for (int i = 0; i < 20; i++) {
    CHECK_OK(winipc_receive_alloc(from, &data, &size, SOON));
    CHECK_EQUAL(size, 200000);
    winipc_free(data);
  }
  return 0;
}

static void long_messages_pass_small_rings_both_ways_at_once(void) {
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PAIR);
  options.capacity = SMALL_RING;
  ends e = open_ends(&options);
  HANDLE up = thread_of(send_long_ones, e.client);
  HANDLE down = thread_of(send_long_ones, e.server);
  HANDLE thread = thread_of(receive_long_ones, e.client);
  receive_long_ones(e.server);
  join(up);
  join(down);
  join(thread);
  close_ends(&e);
}

static DWORD WINAPI send_slowly(void *to) {
  static const char message[] = "0123456789";
  static char large[30000];
  for (size_t i = 0; i < sizeof large; i++) large[i] = message[i % 10];
  return (DWORD)winipc_send(to, large, sizeof large, 400);
}

/* The ring has room for a seventh of it. */
static void a_receiver_that_runs_out_of_time_in_the_midst_loses_nothing(void) {
  static char room[30000];
  size_t size = 0;
  winipc_status status;
  int timeouts = 0;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PAIR);
  options.capacity = SMALL_RING;
  ends e = open_ends(&options);
  HANDLE thread = thread_of(send_slowly, e.server);
  do {
    status = winipc_receive(e.client, room, sizeof room, &size, WINIPC_NO_WAIT);
    timeouts += status == WINIPC_E_TIMEOUT;
    if (status) SwitchToThread();
  } while (status == WINIPC_E_TIMEOUT);
  CHECK_STATUS(status, WINIPC_OK);
  CHECK(timeouts > 0);
  CHECK_EQUAL(size, sizeof room);
  for (size_t i = 0; i < sizeof room && !harness__failures; i++)
    CHECK_EQUAL(room[i], '0' + (char)(i % 10));
  CHECK_EQUAL((int)join(thread), WINIPC_OK);
  close_ends(&e);
}

static void a_message_whose_sender_gives_up_is_void_and_counted(void) {
  static char room[30000];
  size_t size;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PAIR);
  options.capacity = SMALL_RING;
  ends e = open_ends(&options);
  CHECK_EQUAL((int)send_slowly(e.server), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_receive(e.client, room, sizeof room, &size, 0), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_send(e.server, "after", 5, SOON));
  CHECK_STATUS(winipc_receive(e.client, room, sizeof room, &size, SOON), WINIPC_LOST);
  CHECK(size == 5 && !memcmp(room, "after", 5));
  CHECK_EQUAL(lost_before(e.client), 1);
  close_ends(&e);
}

static void more_than_max_message_is_refused_at_either_side(void) {
  static char large[2000];
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PAIR);
  options.max_message = 1000;
  ends e = open_ends(&options);
  CHECK_STATUS(winipc_send(e.server, large, 1001, SOON), WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_OK(winipc_send(e.server, large, 1000, SOON));
  CHECK_OK(winipc_send(e.client, large, 1001, SOON)); /* which allows it */
  CHECK_RECEIVES(e.server, SOON, WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_STATUS(winipc_send(e.server, "x", 1, SOON), WINIPC_E_MESSAGE_TOO_LARGE);
  close_ends(&e);
}

/* ---- full ---- */

static void what_finds_no_room_is_dropped_and_told(void) {
  uint32_t sent = 0, dropped = 0, number = 0;
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PAIR);
  winipc_channel_member info = {.size = sizeof info};
  options.capacity = SMALL_RING;
  options.full = WINIPC_FULL_DROP_NEWEST;
  ends e = open_ends(&options);
  while (!winipc_send(e.server, &sent, 4, WINIPC_FOREVER)) sent++;
  for (dropped = 1; dropped < 77; dropped++)
    CHECK_STATUS(winipc_send(e.server, &sent, 4, WINIPC_FOREVER), WINIPC_LOST);
  for (uint32_t i = 0; i < sent; i++) CHECK_NUMBER(e.client, i);
  CHECK_OK(winipc_channel_get_info(e.server, &info));
  CHECK_EQUAL(info.dropped, dropped);
  send_number(e.server, 1000);
  CHECK_STATUS(receive_number(e.client, &number, SOON), WINIPC_LOST);
  CHECK_EQUAL(number, 1000);
  CHECK_EQUAL(lost_before(e.client), dropped);
  send_number(e.server, 1001);
  CHECK_NUMBER(e.client, 1001);
  close_ends(&e);
}

/* ---- several at once, arming, fields ---- */

static void several_go_and_come_in_one_call(void) {
  winipc_part out[40], in[64];
  char room[4096];
  uint32_t count = 0, sent = 0;
  ends e = open_ends(NULL);
  for (uint32_t i = 0; i < 40; i++) out[i] = (winipc_part){"0123456789", i % 11};
  CHECK_OK(winipc_send_many(e.server, out, 40, SOON, &sent));
  CHECK_EQUAL(sent, 40);
  CHECK_OK(winipc_receive_many(e.client, room, sizeof room, in, 64, &count, SOON));
  CHECK_EQUAL(count, 40);
  for (uint32_t i = 0; i < count; i++) {
    CHECK_EQUAL(in[i].size, i % 11);
    CHECK_EQUAL((uintptr_t)in[i].data % 8, (uintptr_t)room % 8);
    CHECK(!memcmp(in[i].data, "0123456789", in[i].size));
  }
  CHECK_STATUS(winipc_receive_many(e.client, room, 100, in, 64, &count, 0),
               WINIPC_E_TIMEOUT);
  CHECK_EQUAL(count, 0);
  close_ends(&e);
}

static DWORD WINAPI send_hundred(void *to) {
  for (uint32_t i = 0; i < 100; i++) {
    if (i % 5 == 0) Sleep(1);
    send_number(to, i);
  }
  return 0;
}

static void a_foreign_loop_waits_for_what_is_armed(void) {
  void *data, *armed;
  size_t size;
  uint32_t next = 0;
  HANDLE never = CreateEventW(NULL, FALSE, FALSE, NULL);
  ends e = open_ends(NULL);
  HANDLE thread = thread_of(send_hundred, e.client);
  while (next < 100 && !harness__failures) {
    winipc_status status = winipc_connection_arm(e.server, &armed);
    HANDLE both[] = {never, armed};
    CHECK(status == WINIPC_OK || status == WINIPC_READY);
    if (!status)
      CHECK_EQUAL(WaitForMultipleObjects(2, both, FALSE, SOON), WAIT_OBJECT_0 + 1);
    while (!winipc_receive_alloc(e.server, &data, &size, WINIPC_NO_WAIT)) {
      CHECK_EQUAL(*(uint32_t *)data, next++);
      winipc_free(data);
    }
  }
  join(thread);
  CHECK_OK(winipc_connection_arm(e.server, &armed));
  CHECK_OK(winipc_connection_close(e.client));
  CHECK_EQUAL(WaitForSingleObject(armed, SOON), WAIT_OBJECT_0);
  CHECK_STATUS(receive_nothing(e.server, 0), WINIPC_E_DISCONNECTED);
  e.client = NULL;
  close_ends(&e);
  CloseHandle(never);
}

static void fields_come_with_the_message(void) {
  winipc_message_info info = {.size = sizeof info};
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PAIR);
  options.fields = WINIPC_FIELD_SEQUENCE | WINIPC_FIELD_TIME | WINIPC_FIELD_TAG;
  ends e = open_ends(&options);
  uint64_t before = 0;
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_OK(winipc_channel_set_tag(e.server, 70 + i));
    send_number(e.server, i);
    CHECK_NUMBER(e.client, i);
    CHECK_OK(winipc_channel_received(e.client, &info));
    CHECK_EQUAL(info.sequence, i);
    CHECK_EQUAL(info.tag, 70 + i);
    CHECK(info.time >= before && info.time > (uint64_t)1 << 56);
    CHECK_EQUAL(info.sender, GetCurrentProcessId());
    before = info.time;
  }
  CHECK_STATUS(winipc_channel_set_tag(e.client, 1), WINIPC_E_UNSUPPORTED);
  close_ends(&e);
}

/* ---- loans ---- */

static void a_message_is_built_and_read_in_place(void) {
  void *room;
  const void *data, *again;
  size_t size;
  ends e = open_ends(NULL);
  CHECK_OK(winipc_channel_reserve(e.server, 100, SOON, &room));
  memcpy(room, "built here", 10);
  CHECK_STATUS(winipc_send(e.server, "x", 1, SOON), WINIPC_E_BUSY);
  CHECK_STATUS(winipc_channel_reserve(e.server, 1, SOON, &room), WINIPC_E_BUSY);
  CHECK_STATUS(winipc_channel_commit(e.server, 101), WINIPC_E_INVALID_ARGUMENT);
  CHECK_RECEIVES(e.client, 0, WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_channel_commit(e.server, 10));
  CHECK_STATUS(winipc_channel_commit(e.server, 10), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_channel_peek(e.client, SOON, &data, &size));
  CHECK(size == 10 && !memcmp(data, "built here", 10));
  CHECK_OK(winipc_channel_peek(e.client, SOON, &again, &size));
  CHECK(again == data);
  CHECK_RECEIVES(e.client, 0, WINIPC_E_BUSY);
  CHECK_OK(winipc_channel_release(e.client));
  CHECK_STATUS(winipc_channel_release(e.client), WINIPC_E_INVALID_ARGUMENT);
  CHECK_OK(winipc_channel_reserve(e.server, 100, SOON, &room));
  CHECK_OK(winipc_channel_abandon(e.server));
  CHECK_STATUS(winipc_channel_abandon(e.server), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_channel_reserve(e.server, 1 << 19, SOON, &room),
               WINIPC_E_MESSAGE_TOO_LARGE);
  send_number(e.server, 3);
  CHECK_NUMBER(e.client, 3);
  close_ends(&e);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(messages_go_both_ways_whole),
      TEST(a_message_of_zero_bytes_is_a_message),
      TEST(too_small_a_buffer_keeps_the_message),
      TEST(a_message_can_be_received_in_parts),
      TEST(an_empty_channel_times_out_and_loses_nothing),
      TEST(the_end_is_told_after_all_that_was_sent),
      TEST(long_messages_go_in_pieces_that_nobody_sees),
      TEST(a_killed_peer_is_told_after_all_that_it_had_sent),
      TEST(time_cancel_abort_and_close_end_a_sleep),
      TEST(time_cancel_abort_and_close_end_a_long_spin),
      TEST(a_second_thread_is_told_that_the_first_is_in),
      TEST(long_messages_pass_small_rings_both_ways_at_once),
      TEST(a_receiver_that_runs_out_of_time_in_the_midst_loses_nothing),
      TEST(a_message_whose_sender_gives_up_is_void_and_counted),
      TEST(more_than_max_message_is_refused_at_either_side),
      TEST(what_finds_no_room_is_dropped_and_told),
      TEST(several_go_and_come_in_one_call),
      TEST(a_foreign_loop_waits_for_what_is_armed),
      TEST(fields_come_with_the_message),
      TEST(a_message_is_built_and_read_in_place),
      CHILD(child_echo),
      CHILD(child_sends_and_dies),
      END,
  };
  return harness_main(argc, argv, tests);
}
