/* Many to one: the order within each lane, lanes that die or stop, places that come
 * free. */
#include "channels.h"

static const char *address;
static winipc_connection *funnel;

static winipc_channel_options small(uint32_t role) {
  winipc_channel_options options = channel_as(role);
  options.capacity = SMALL_RING;
  return options;
}

static void open_funnel(uint32_t peers) {
  winipc_channel_options options = small(WINIPC_CHANNEL_FUNNEL);
  options.max_peers = peers;
  address = harness_name("channel:", "funnel");
  funnel = open_with(address, &options);
}

static winipc_connection *open_lane(void) {
  winipc_channel_options options = small(WINIPC_CHANNEL_LANE);
  return open_with(address, &options);
}

/* A message of a lane: its process, a number that counts up, and so much more. */
typedef struct parcel {
  uint32_t pid, number;
  unsigned char rest[9000]; /* more than the ring of a lane */
} parcel;

enum { HEAD = 8, EACH = 400, LANES = 16 };

static size_t fill_parcel(parcel *p, uint32_t number) {
  size_t size = number % 50 == 49 ? sizeof *p : HEAD + number % 300;
  p->pid = GetCurrentProcessId();
  p->number = number;
  for (size_t i = 0; i < size - HEAD; i++) p->rest[i] = (unsigned char)(number + i);
  return size;
}

static bool is_whole(const parcel *p, size_t size) {
  for (size_t i = 0; i < size - HEAD; i++)
    if (p->rest[i] != (unsigned char)(p->number + i)) return false;
  return size >= HEAD;
}

static void child_sends(const char *name) {
  static parcel p;
  address = name;
  winipc_connection *lane = open_lane();
  for (uint32_t i = 0; i < EACH; i++) {
    size_t size = fill_parcel(&p, i);
    CHECK_OK(winipc_send(lane, &p, size, SOON));
  }
  CHECK_OK(winipc_connection_close(lane));
}

static void child_sends_for_ever(const char *name) {
  static parcel p;
  address = name;
  winipc_connection *lane = open_lane();
  for (uint32_t i = 0;; i++) winipc_send(lane, &p, fill_parcel(&p, i), SOON);
}

/* What came from each lane so far. */
typedef struct ledger {
  uint32_t pids[2 * LANES], next[2 * LANES], count;
} ledger;

static uint32_t *next_of(ledger *l, uint32_t pid) {
  uint32_t i = 0;
  while (i < l->count && l->pids[i] != pid) i++;
  if (i == l->count) {
    l->pids[l->count] = pid;
    l->next[l->count++] = 0;
  }
  return &l->next[i];
}

static winipc_status enter_one(ledger *l, uint32_t timeout_ms) {
  static parcel p;
  size_t size;
  winipc_message_info info = {.size = sizeof info};
  winipc_status status = winipc_receive(funnel, &p, sizeof p, &size, timeout_ms);
  if (status) return status;
  CHECK(is_whole(&p, size));
  CHECK_OK(winipc_channel_received(funnel, &info));
  CHECK_EQUAL(info.sender, p.pid);
  uint32_t *next = next_of(l, p.pid);
  CHECK_EQUAL(p.number, *next);
  *next = p.number + 1;
  return WINIPC_OK;
}

static void sixteen_lanes_lose_nothing_and_keep_their_order(void) {
  HANDLE children[LANES];
  ledger l = {.count = 0};
  open_funnel(LANES);
  for (int i = 0; i < LANES; i++) children[i] = harness_spawn("child_sends", address);
  for (int i = 0; i < LANES * EACH && !harness__failures; i++)
    CHECK_OK(enter_one(&l, SOON));
  CHECK_STATUS(enter_one(&l, 20), WINIPC_E_TIMEOUT);
  CHECK_EQUAL(l.count, LANES);
  for (int i = 0; i < LANES; i++) CHECK_CHILD(children[i]);
  await_members(address, 1);
  CHECK_OK(winipc_connection_close(funnel));
}

/* More of them than there are places. */
static void killed_lanes_wedge_nobody_and_leave_their_places(void) {
  ledger l = {.count = 0};
  open_funnel(2);
  for (int i = 0; i < 12 && !harness__failures; i++) {
    HANDLE child = harness_spawn("child_sends_for_ever", address);
    CHECK_OK(enter_one(&l, SOON));
    for (int k = 0; k < 37 * i; k++) CHECK_OK(enter_one(&l, SOON));
    kill_child(child);
    winipc_status status;
    do status = enter_one(&l, 100);
    while (!status);
    CHECK_STATUS(status, WINIPC_E_TIMEOUT);
  }
  CHECK_EQUAL(members_of(address), 1);
  CHECK_OK(winipc_connection_close(funnel));
}

static void what_a_killed_lane_had_sent_is_delivered(void) {
  uint32_t number;
  open_funnel(4);
  winipc_connection *lane = open_lane();
  for (uint32_t i = 0; i < 50; i++) send_number(lane, i);
  CHECK_OK(winipc_connection_close(lane));
  Sleep(50);
  for (uint32_t i = 0; i < 50; i++) CHECK_NUMBER(funnel, i);
  CHECK_STATUS(receive_number(funnel, &number, 10), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_connection_close(funnel));
}

static DWORD WINAPI send_long(void *lane) {
  static char message[20000];
  return (DWORD)winipc_send(lane, message, sizeof message, 300);
}

/* Nobody receives: it stands in the midst of its message, then gives up. */
static void a_lane_that_stops_in_the_midst_holds_up_nobody(void) {
  open_funnel(4);
  winipc_connection *stops = open_lane(), *goes = open_lane();
  HANDLE thread = thread_of(send_long, stops);
  Sleep(400); /* until it has given up */
  CHECK_EQUAL((int)join(thread), WINIPC_E_TIMEOUT);
  for (uint32_t i = 0; i < 100; i++) {
    send_number(goes, i);
    CHECK_NUMBER(funnel, i);
  }
  send_number(stops, 7);
  uint32_t number = 0;
  CHECK_STATUS(receive_number(funnel, &number, SOON), WINIPC_LOST);
  CHECK_EQUAL(number, 7);
  CHECK_EQUAL(lost_before(funnel), 1);
  CHECK_OK(winipc_connection_close(stops));
  CHECK_OK(winipc_connection_close(goes));
  CHECK_OK(winipc_connection_close(funnel));
}

static void child_stops_in_the_midst(const char *name) {
  static char message[20000];
  address = name;
  winipc_connection *lane = open_lane();
  winipc_send(lane, message, sizeof message, WINIPC_FOREVER);
}

static void a_lane_that_is_killed_in_the_midst_is_forgotten(void) {
  open_funnel(4);
  HANDLE child = harness_spawn("child_stops_in_the_midst", address);
  await_members(address, 2);
  Sleep(50);
  winipc_connection *goes = open_lane();
  kill_child(child);
  for (uint32_t i = 0; i < 100; i++) {
    send_number(goes, i);
    CHECK_NUMBER(funnel, i);
  }
  CHECK_RECEIVES(funnel, 20, WINIPC_E_TIMEOUT);
  await_members(address, 2);
  CHECK_OK(winipc_connection_close(goes));
  CHECK_OK(winipc_connection_close(funnel));
}

static DWORD WINAPI receive_one(void *result) {
  return (DWORD)receive_number(funnel, result, SOON);
}

static void a_new_lane_wakes_the_sleeping_receiver(void) {
  uint32_t number = 0;
  open_funnel(4);
  for (uint32_t i = 0; i < 20; i++) {
    HANDLE thread = thread_of(receive_one, &number);
    Sleep(i % 4 * 5);
    winipc_connection *lane = open_lane();
    send_number(lane, 100 + i);
    CHECK_EQUAL(join(thread), WINIPC_OK);
    CHECK_EQUAL(number, 100 + i);
    CHECK_OK(winipc_connection_close(lane));
  }
  CHECK_OK(winipc_connection_close(funnel));
}

static void the_end_of_the_funnel_is_told_to_its_lanes(void) {
  winipc_status status;
  open_funnel(4);
  winipc_connection *lane = open_lane();
  CHECK_OK(winipc_connection_close(funnel));
  ULONGLONG end = GetTickCount64() + SOON;
  do status = winipc_send(lane, "x", 1, WINIPC_NO_WAIT);
  while (!status && GetTickCount64() < end);
  CHECK_STATUS(status, WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(lane));
}

/* A lane that is full of what nobody reads does not keep the others from their turn. */
static void each_lane_gets_its_turn(void) {
  uint32_t from_busy = 0, number;
  open_funnel(4);
  winipc_connection *busy = open_lane(), *quiet = open_lane();
  await_members(address, 3);
  while (!winipc_send(busy, "\1\0\0", 4, WINIPC_NO_WAIT)) continue;
  send_number(quiet, 2);
  do {
    number = 0;
    CHECK_OK(receive_number(funnel, &number, SOON));
    from_busy += number == 1;
  } while (number == 1);
  CHECK(from_busy <= 1);
  CHECK_OK(winipc_connection_close(busy));
  CHECK_OK(winipc_connection_close(quiet));
  CHECK_OK(winipc_connection_close(funnel));
}

static void a_loan_outlives_its_lane(void) {
  const void *data;
  size_t size;
  open_funnel(4);
  winipc_connection *lane = open_lane();
  send_number(lane, 5);
  CHECK_OK(winipc_channel_peek(funnel, SOON, &data, &size));
  CHECK_OK(winipc_connection_close(lane));
  Sleep(30);
  CHECK_RECEIVES(funnel, 10, WINIPC_E_BUSY);
  CHECK_EQUAL(*(const uint32_t *)data, 5);
  CHECK_OK(winipc_channel_release(funnel));
  CHECK_RECEIVES(funnel, 10, WINIPC_E_TIMEOUT);
  CHECK_EQUAL(members_of(address), 1);
  CHECK_OK(winipc_connection_close(funnel));
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(sixteen_lanes_lose_nothing_and_keep_their_order),
      TEST(killed_lanes_wedge_nobody_and_leave_their_places),
      TEST(what_a_killed_lane_had_sent_is_delivered),
      TEST(a_lane_that_stops_in_the_midst_holds_up_nobody),
      TEST(a_lane_that_is_killed_in_the_midst_is_forgotten),
      TEST(a_new_lane_wakes_the_sleeping_receiver),
      TEST(the_end_of_the_funnel_is_told_to_its_lanes),
      TEST(each_lane_gets_its_turn),
      TEST(a_loan_outlives_its_lane),
      CHILD(child_sends),
      CHILD(child_sends_for_ever),
      CHILD(child_stops_in_the_midst),
      END,
  };
  return harness_main(argc, argv, tests);
}
