/* What could hurt: peers that scribble over their memory, closes and cancels in the
 * midst, wake-ups that must not be lost, leaks. */
#include "channels.h"

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit) {
  random_state = random_state * 1664525 + 1013904223;
  return (random_state >> 8) % limit;
}

/* ---- peers that scribble ---- */

/* The writable views of shared memory in this process: its regions of channels. */
static int find_own_regions(char **bases, size_t *sizes, int most) {
  MEMORY_BASIC_INFORMATION view;
  int count = 0;
  for (char *at = NULL; VirtualQuery(at, &view, sizeof view);
       at = (char *)view.BaseAddress + view.RegionSize) {
    if (view.Type != MEM_MAPPED || view.State != MEM_COMMIT ||
        view.Protect != PAGE_READWRITE || view.RegionSize < 4096 || count == most)
      continue;
    const uint64_t *words = view.BaseAddress;
    bool control = words[0] == 0x4C52544350495757u;
    bool ring = view.RegionSize > 4096 && words[512] == 0x474E495250495757u;
    if (!control && !ring) continue;
    bases[count] = view.BaseAddress;
    sizes[count++] = view.RegionSize;
  }
  return count;
}

/* Words that matter more than noise would. */
static uint64_t nasty_word(const uint64_t *words, size_t count) {
  static const uint64_t nasty[] = {0,
                                   1,
                                   7,
                                   UINT64_MAX,
                                   (uint64_t)1 << 63,
                                   0x100000008u,
                                   0x1FFFFFFFFu,
                                   0x2100000008u,
                                   0x300000010u,
                                   0x4445484341545441u,
                                   0x4445484341544544u};
  uint32_t dice = random_below(16);
  if (dice < 11) return nasty[dice];
  uint64_t other = words[random_below((uint32_t)count)];
  return dice < 14 ? other + random_below(64) - 32
                   : other ^ (uint64_t)1 << random_below(64);
}

static void scribble(char **bases, const size_t *sizes, int count) {
  for (int i = 0; i < count; i++) {
    volatile uint64_t *words = (volatile uint64_t *)(void *)bases[i];
    size_t all = sizes[i] / 8, heads = all < 1100 ? all : 1100;
    size_t where = random_below(3) ? random_below(64) : random_below((uint32_t)heads);
    if (!random_below(3) && all > 512) where = 512 + random_below(60);
    words[where] = nasty_word((const uint64_t *)(const void *)bases[i], heads);
  }
}

/* "ROLE SEED ADDRESS": joins, behaves for a while, then scribbles and goes on. */
static void child_scribbles(const char *argument) {
  char address[128] = "", *bases[8], room[256];
  size_t sizes[8], size;
  uint32_t role = 0;
  sscanf(argument, "%u %u %127s", &role, &random_state, address);
  winipc_channel_options options = channel_as(role);
  options.capacity = SMALL_RING;
  winipc_connection *c = open_with(address, &options);
  int count = find_own_regions(bases, sizes, 8);
  if (!count) exit(3);
  Sleep(50); /* or its host might not even take it in */
  for (uint32_t i = 0, quiet = random_below(30); i < 4000; i++) {
    if (role != WINIPC_CHANNEL_SUBSCRIBER)
      winipc_send(c, room, random_below(200), i < quiet ? 10 : 0);
    if (role != WINIPC_CHANNEL_LANE) winipc_receive(c, room, sizeof room, &size, 0);
    if (i >= quiet) scribble(bases, sizes, count);
    if (i % 200 == 199) Sleep(1);
  }
  ExitProcess(0);
}

static bool is_proper_end(winipc_status status) {
  return status == WINIPC_E_CORRUPT || status == WINIPC_E_DISCONNECTED ||
         status == WINIPC_E_MESSAGE_TOO_LARGE;
}

static HANDLE spawn_scribbler(uint32_t role, const char *address) {
  char argument[200];
  snprintf(argument, sizeof argument, "%u %u %s", role, random_below(1 << 24), address);
  return harness_spawn("child_scribbles", argument);
}

/* Talks with the scribbler until one of the two ways ends, or the child does: which may
 * also have got itself into an endless loop. */
static void survive(winipc_connection *c, HANDLE child, bool sends, bool receives) {
  static char room[70000];
  size_t size;
  winipc_status status = WINIPC_OK;
  bool over = false;
  ULONGLONG end = GetTickCount64() + 1500;
  while (!over && !is_proper_end(status)) {
    ULONGLONG start = GetTickCount64();
    over = start > end || WaitForSingleObject(child, 0) == WAIT_OBJECT_0;
    status = sends ? winipc_send(c, room, random_below(300), 1) : WINIPC_OK;
    if (receives && !is_proper_end(status))
      status = winipc_receive(c, room, sizeof room, &size, 1);
    CHECK(status >= 0 || status == WINIPC_E_TIMEOUT || is_proper_end(status));
    CHECK(GetTickCount64() - start < 2000);
  }
}

static void check_scribblers(uint32_t host, uint32_t guest, int rounds) {
  winipc_channel_options options = channel_as(host);
  options.capacity = SMALL_RING;
  options.full = host == WINIPC_CHANNEL_PUBLISHER ? WINIPC_FULL_BLOCK : 0;
  options.max_message = 60000;
  for (int i = 0; i < rounds && !harness__failures; i++) {
    const char *address = harness_name("channel:", "scribbled");
    random_state = (uint32_t)(i * 7919 + host * 31 + guest);
    HANDLE child = spawn_scribbler(guest, address);
    winipc_connection *victim = open_with(address, &options);
    survive(victim, child, host != WINIPC_CHANNEL_FUNNEL,
            host != WINIPC_CHANNEL_PUBLISHER);
    CHECK_OK(winipc_connection_close(victim));
    kill_child(child);
  }
}

static void a_scribbling_pair_hurts_nobody_but_itself(void) {
  check_scribblers(WINIPC_CHANNEL_PAIR, WINIPC_CHANNEL_PAIR, 12);
}
static void a_scribbling_subscriber_hurts_nobody_but_itself(void) {
  check_scribblers(WINIPC_CHANNEL_PUBLISHER, WINIPC_CHANNEL_SUBSCRIBER, 12);
}
static void a_scribbling_lane_hurts_nobody_but_itself(void) {
  check_scribblers(WINIPC_CHANNEL_FUNNEL, WINIPC_CHANNEL_LANE, 12);
}

static void child_publishes_and_scribbles(const char *argument) {
  char address[128] = "", *bases[8], room[256] = "";
  size_t sizes[8];
  sscanf(argument, "%u %127s", &random_state, address);
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PUBLISHER);
  options.capacity = SMALL_RING;
  if (random_below(2)) options.full = WINIPC_FULL_BLOCK;
  winipc_connection *c = open_with(address, &options);
  await_members(address, 2);
  int count = find_own_regions(bases, sizes, 8);
  if (!count) exit(3);
  for (uint32_t i = 0, quiet = random_below(30); i < 4000; i++) {
    winipc_send(c, room, random_below(200), i < quiet ? 10 : 0);
    if (i >= quiet) scribble(bases, sizes, count);
    if (i % 200 == 199) Sleep(1);
  }
  ExitProcess(0);
}

static void a_scribbling_publisher_hurts_nobody(void) {
  char argument[200];
  for (uint32_t i = 0; i < 12 && !harness__failures; i++) {
    const char *address = harness_name("channel:", "scribbled");
    snprintf(argument, sizeof argument, "%u %s", i * 104729, address);
    HANDLE child = harness_spawn("child_publishes_and_scribbles", argument);
    winipc_connection *victim = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
    survive(victim, child, false, true);
    CHECK_OK(winipc_connection_close(victim));
    kill_child(child);
  }
}

/* A cursor ahead, behind or odd cuts off that subscriber, and no other. */
static void a_cursor_that_cannot_be_cuts_off_its_subscriber_alone(void) {
  static const uint64_t cursors[] = {1 << 20, 0, 4099, UINT64_MAX - 7};
  char *bases[8];
  size_t sizes[8];
  winipc_channel_options options = channel_as(WINIPC_CHANNEL_PUBLISHER);
  options.full = WINIPC_FULL_BLOCK;
  options.capacity = SMALL_RING;
  for (int i = 0; i < 4; i++) {
    const char *address = harness_name("channel:", "cursor");
    winipc_connection *publisher = open_with(address, &options);
    winipc_connection *bad = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
    int count = find_own_regions(bases, sizes, 8); /* its page, and the ring */
    winipc_connection *good = open_as(address, WINIPC_CHANNEL_SUBSCRIBER);
    for (uint32_t n = 0; n < 1000; n++) {
      send_number(publisher, n);
      CHECK_NUMBER(good, n);
      if (n <= 300) CHECK_NUMBER(bad, n); /* its cursor has been seen by now */
      for (int k = 0; n == 300 && k < count; k++)
        if (sizes[k] == 4096) ((volatile uint64_t *)(void *)bases[k])[32] = cursors[i];
    }
    winipc_status status;
    uint32_t number;
    do status = receive_number(bad, &number, SOON);
    while (status >= 0);
    CHECK(is_proper_end(status));
    CHECK_OK(winipc_connection_close(bad));
    CHECK_OK(winipc_connection_close(good));
    CHECK_OK(winipc_connection_close(publisher));
  }
}

/* ---- wake-ups ---- */

typedef struct hammer {
  winipc_connection *from, *to;
  uint32_t count, seed;
} hammer;

static void dawdle(uint32_t *seed) {
  *seed = *seed * 1664525 + 1013904223;
  uint32_t dice = *seed >> 24;
  if (dice < 40) SwitchToThread();
  for (uint32_t i = dice > 200 ? (*seed >> 8 & 0xFFF) : 0; i; i--) YieldProcessor();
  if (dice == 255) Sleep(1);
}

static DWORD WINAPI echo_all(void *context) {
  hammer *h = context;
  for (uint32_t n = 0; n < h->count && !harness__failures; n++) {
    CHECK_NUMBER(h->from, n);
    dawdle(&h->seed);
    send_number(h->from, n);
  }
  return 0;
}

static DWORD WINAPI receive_all(void *context) {
  hammer *h = context;
  for (uint32_t n = 0; n < h->count && !harness__failures; n++) {
    CHECK_NUMBER(h->from, n);
    dawdle(&h->seed);
  }
  return 0;
}

static winipc_channel_options sleepy(uint32_t role) {
  winipc_channel_options options = channel_as(role);
  options.capacity = SMALL_RING;
  options.spin_us = 0;
  return options;
}

static ends open_sleepy_pair(void) {
  ends e = {0};
  winipc_channel_options options = sleepy(WINIPC_CHANNEL_PAIR);
  const char *address = harness_name("channel:", "hammer");
  CHECK_OK(winipc_channel_listen(address, &options, &e.listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &e.client));
  CHECK_OK(winipc_accept(e.listener, SOON, &e.server));
  return e;
}

static void no_wake_up_is_lost_in_ping_pong(void) {
  ends e = open_sleepy_pair();
  hammer h = {.from = e.client, .count = 20000, .seed = 1};
  uint32_t seed = 2;
  HANDLE thread = thread_of(echo_all, &h);
  for (uint32_t n = 0; n < h.count && !harness__failures; n++) {
    send_number(e.server, n);
    dawdle(&seed);
    CHECK_NUMBER(e.server, n);
  }
  join(thread);
  close_ends(&e);
}

static void no_wake_up_is_lost_in_a_stream(void) {
  ends e = open_sleepy_pair();
  hammer h = {.from = e.client, .count = 100000, .seed = 3};
  uint32_t seed = 4;
  HANDLE thread = thread_of(receive_all, &h);
  for (uint32_t n = 0; n < h.count && !harness__failures; n++) {
    send_number(e.server, n);
    dawdle(&seed);
  }
  join(thread);
  close_ends(&e);
}

enum { READERS = 3, WRITERS = 3 };

static void no_wake_up_is_lost_to_a_blocking_publisher(void) {
  hammer readers[READERS];
  HANDLE threads[READERS];
  uint32_t seed = 5;
  winipc_channel_options options = sleepy(WINIPC_CHANNEL_PUBLISHER);
  winipc_channel_options reading = sleepy(WINIPC_CHANNEL_SUBSCRIBER);
  const char *address = harness_name("channel:", "hammer");
  options.full = WINIPC_FULL_BLOCK;
  winipc_connection *publisher = open_with(address, &options);
  for (uint32_t i = 0; i < READERS; i++) {
    readers[i] = (hammer){.from = open_with(address, &reading), .count = 20000};
    readers[i].seed = 6 + i;
    threads[i] = thread_of(receive_all, &readers[i]);
  }
  for (uint32_t n = 0; n < readers[0].count && !harness__failures; n++) {
    send_number(publisher, n);
    dawdle(&seed);
  }
  for (int i = 0; i < READERS; i++) {
    join(threads[i]);
    CHECK_OK(winipc_connection_close(readers[i].from));
  }
  CHECK_OK(winipc_connection_close(publisher));
}

static DWORD WINAPI send_all(void *context) {
  hammer *h = context;
  for (uint32_t n = 0; n < h->count && !harness__failures; n++) {
    send_number(h->to, n);
    dawdle(&h->seed);
  }
  return 0;
}

static void no_wake_up_is_lost_in_a_funnel(void) {
  hammer writers[WRITERS];
  HANDLE threads[WRITERS];
  uint64_t sum = 0, expected = 0;
  winipc_channel_options options = sleepy(WINIPC_CHANNEL_FUNNEL);
  winipc_channel_options writing = sleepy(WINIPC_CHANNEL_LANE);
  const char *address = harness_name("channel:", "hammer");
  winipc_connection *funnel = open_with(address, &options);
  for (uint32_t i = 0; i < WRITERS; i++) {
    writers[i] = (hammer){.to = open_with(address, &writing), .count = 20000};
    writers[i].seed = 9 + i;
    expected += (uint64_t)writers[i].count * (writers[i].count - 1) / 2;
    threads[i] = thread_of(send_all, &writers[i]);
  }
  for (uint32_t n = 0; n < WRITERS * writers[0].count && !harness__failures; n++) {
    uint32_t number = 0;
    CHECK_OK(receive_number(funnel, &number, SOON));
    sum += number;
  }
  CHECK_EQUAL(sum, expected);
  for (int i = 0; i < WRITERS; i++) {
    join(threads[i]);
    CHECK_OK(winipc_connection_close(writers[i].to));
  }
  CHECK_OK(winipc_connection_close(funnel));
}

/* ---- leaks ---- */

static void cycle(uint32_t host, uint32_t guest) {
  winipc_channel_options options = channel_as(host), other = channel_as(guest);
  const char *address = harness_name("channel:", "cycle");
  options.capacity = other.capacity = SMALL_RING;
  winipc_connection *one = open_with(address, &options);
  winipc_connection *two = open_with(address, &other);
  bool down = host == WINIPC_CHANNEL_PUBLISHER;
  send_number(down ? one : two, 5);
  CHECK_NUMBER(down ? two : one, 5);
  CHECK_OK(winipc_connection_close(down ? one : two));
  CHECK_OK(winipc_connection_close(down ? two : one));
}

static void cycle_pair(void) {
  ends e = open_sleepy_pair();
  send_number(e.client, 5);
  CHECK_NUMBER(e.server, 5);
  close_ends(&e);
}

static void cycle_nameless(void) {
  ends e = {0};
  void *other_end;
  CHECK_OK(winipc_channel_create(NULL, &e.listener, &other_end));
  CHECK_OK(winipc_channel_from_handle(other_end, NULL, SOON, &e.client));
  CHECK_OK(winipc_accept(e.listener, SOON, &e.server));
  send_number(e.client, 5);
  CHECK_NUMBER(e.server, 5);
  close_ends(&e);
}

enum { CYCLES = 60, WARM_UP = 20 };

static void opening_and_closing_leaks_no_handles(void) {
  DWORD before = 0;
  for (int i = 0; i < CYCLES + WARM_UP && !harness__failures; i++) {
    if (i == WARM_UP) before = harness_count_handles();
    cycle(WINIPC_CHANNEL_PUBLISHER, WINIPC_CHANNEL_SUBSCRIBER);
    cycle(WINIPC_CHANNEL_FUNNEL, WINIPC_CHANNEL_LANE);
    cycle_pair();
    if (i % 10 == 0) cycle_nameless();
  }
  DWORD after = harness_count_handles();
  for (int i = 0; i < 100 && after > before; i++) {
    Sleep(10);
    after = harness_count_handles();
  }
  CHECK(after <= before);
  if (after > before) printf("%lu handles, then %lu\n", before, after);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(a_scribbling_pair_hurts_nobody_but_itself),
      TEST(a_scribbling_subscriber_hurts_nobody_but_itself),
      TEST(a_scribbling_lane_hurts_nobody_but_itself),
      TEST(a_scribbling_publisher_hurts_nobody),
      TEST(a_cursor_that_cannot_be_cuts_off_its_subscriber_alone),
      TEST(no_wake_up_is_lost_in_ping_pong),
      TEST(no_wake_up_is_lost_in_a_stream),
      TEST(no_wake_up_is_lost_to_a_blocking_publisher),
      TEST(no_wake_up_is_lost_in_a_funnel),
      TEST(opening_and_closing_leaks_no_handles),
      CHILD(child_scribbles),
      CHILD(child_publishes_and_scribbles),
      END,
  };
  return harness_main(argc, argv, tests);
}
