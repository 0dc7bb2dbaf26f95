/* Every system call that can fail is let fail, one at a time, until each scenario gets
 * through untouched. Whatever the fault: the call says so, with the Win32 code, or has
 * done its work all the same; nothing leaks, nothing hangs, and the next round works.
 */
#include "child.h"

#include "counted.h"

enum {
  FAULT = ERROR_NO_SYSTEM_RESOURCES, /* it is E_OUT_OF_MEMORY for us */
  MOST_ROUNDS = 500,
  SETTLE_MS = 2000
};

/* ---- scenarios: each gives back all that it got, whatever fails ---- */

static winipc_error first_error; /* of the round */

/* Makes the call unless an earlier one failed; what is `also` fine is no failure. */
#define STEP_OR(call, also) \
  (first_error.status ? (void)0 : note_status(#call, (call), (also)))
#define STEP(call) STEP_OR(call, WINIPC_OK)

static void note_status(const char *call, winipc_status status, winipc_status also) {
  winipc_error error = {.size = sizeof error};
  if (status >= 0 || status == also) return;
  winipc_last_error(&error);
  first_error = error;
  first_error.status = status;
  bool no_slot = !error.status && status == WINIPC_E_OUT_OF_MEMORY; /* to note it in */
  if (error.status != status && !no_slot)
    harness_fail(__FILE__, __LINE__, "%s is %s, but the last error is %s", call,
                 winipc_status_name(status), winipc_status_name(error.status));
}

/* The part of a scenario after a failure is skipped. */
static bool fine(void) {
  return !first_error.status;
}

typedef struct ends {
  winipc_listener *listener;
  winipc_connection *server, *client;
} ends;

static void open_ends(ends *e, const winipc_pipe_options *options) {
  const char *address = harness_name("pipe:", "fault");
  STEP(winipc_pipe_listen(address, options, &e->listener));
  STEP(winipc_connect(address, NULL, SOON, &e->client));
  STEP(winipc_accept(e->listener, SOON, &e->server));
}

static void close_ends(ends *e) {
  CHECK_OK(winipc_connection_close(e->client));
  CHECK_OK(winipc_connection_close(e->server));
  CHECK_OK(winipc_listener_close(e->listener));
}

static void talk_in_messages(void) {
  ends e = {0};
  char buffer[64];
  void *data = NULL;
  size_t size = 0;
  winipc_peek_info peeked = {.size = sizeof peeked};
  open_ends(&e, NULL);
  STEP_OR(winipc_receive(e.server, buffer, sizeof buffer, &size, 1), WINIPC_E_TIMEOUT);
  STEP(winipc_send(e.client, "0123456789", 10, SOON));
  STEP(winipc_peek(e.server, NULL, 0, &peeked));
  STEP_OR(winipc_receive(e.server, buffer, 4, &size, SOON), WINIPC_E_MESSAGE_TOO_LARGE);
  STEP(winipc_receive_alloc(e.server, &data, &size, SOON));
  if (fine()) CHECK(size == 10 && !memcmp(data, "0123456789", 10));
  winipc_free(data);
  close_ends(&e);
}

static void accept_again(void) {
  ends e = {0};
  winipc_connection *none = NULL;
  winipc_pipe_options options;
  winipc_pipe_options_init(&options);
  options.max_instances = 1;
  open_ends(&e, &options);
  STEP_OR(winipc_accept(e.listener, 1, &none), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_connection_close(e.server));
  e.server = NULL;
  STEP_OR(winipc_accept(e.listener, 1, &none), WINIPC_E_TIMEOUT);
  close_ends(&e);
}

static void talk_in_frames(void) {
  ends e = {0};
  char buffer[64];
  size_t size = 0;
  winipc_pipe_options options;
  const winipc_part parts[] = {{"01234", 5}, {"56789", 5}};
  winipc_pipe_options_init(&options);
  options.type = WINIPC_PIPE_BYTE;
  options.framing = WINIPC_FRAMING_LINE;
  open_ends(&e, &options);
  STEP(winipc_send_parts(e.server, parts, 2, SOON));
  STEP(winipc_receive(e.client, buffer, sizeof buffer, &size, SOON));
  STEP(winipc_send(e.client, buffer, size, SOON));
  STEP_OR(winipc_receive(e.server, buffer, sizeof buffer, &size, 50), WINIPC_E_TIMEOUT);
  if (fine()) CHECK(size == 10 && !memcmp(buffer, "0123456789", 10));
  close_ends(&e);
}

static DWORD WINAPI answer_once(void *pipe) {
  char buffer[64];
  DWORD size;
  if (ReadFile(pipe, buffer, sizeof buffer, &size, NULL))
    WriteFile(pipe, buffer, size, &size, NULL);
  CloseHandle(pipe);
  return 0;
}

static void transact(void) {
  winipc_connection *connection = NULL;
  winipc_pipe_options options;
  void *other = NULL;
  char reply[64];
  size_t size = 0;
  winipc_pipe_options_init(&options);
  STEP(winipc_pipe_pair(&options, &connection, &other));
  HANDLE thread = other ? CreateThread(NULL, 0, answer_once, other, 0, NULL) : NULL;
  STEP(winipc_transact(connection, "request", 7, reply, sizeof reply, &size, SOON));
  if (fine()) CHECK_EQUAL(size, 7);
  CHECK_OK(winipc_connection_close(connection));
  if (!thread) return;
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

/* Handles that are not overlapped: a worker thread reads, another writes. */
static void adopt_handles(void) {
  HANDLE in, out;
  winipc_connection *reader = NULL, *writer = NULL;
  char buffer[64];
  size_t size = 0;
  CHECK(CreatePipe(&in, &out, NULL, 0));
  STEP(winipc_connection_from_handle(in, NULL, &reader));
  STEP(winipc_connection_from_handle(out, NULL, &writer));
  STEP_OR(winipc_receive(reader, buffer, sizeof buffer, &size, 1), WINIPC_E_TIMEOUT);
  STEP(winipc_send(writer, "text", 4, SOON));
  STEP(winipc_receive(reader, buffer, sizeof buffer, &size, SOON));
  reader ? CHECK_OK(winipc_connection_close(reader)) : CHECK(CloseHandle(in));
  writer ? CHECK_OK(winipc_connection_close(writer)) : CHECK(CloseHandle(out));
}

static void ask_about_a_pipe(void) {
  ends e = {0};
  char *sddl = NULL;
  winipc_peer peer = {.size = sizeof peer};
  winipc_pipe_info info = {.size = sizeof info};
  open_ends(&e, NULL);
  STEP(winipc_connection_peer(e.server, &peer));
  STEP(winipc_connection_peer(e.client, &peer));
  STEP(winipc_pipe_get_info(e.server, &info));
  STEP(winipc_pipe_get_sddl(e.server, &sddl));
  STEP(winipc_send(e.client, "x", 1, SOON));
  STEP_OR(winipc_drain(e.client, 1), WINIPC_E_TIMEOUT);
  winipc_free(sddl);
  close_ends(&e);
}

static void heed_a_token(void) {
  ends e = {0};
  winipc_cancel_token *token = NULL;
  size_t size;
  STEP(winipc_cancel_create(&token));
  STEP(winipc_cancel_use(token));
  open_ends(&e, NULL);
  STEP(winipc_cancel_fire(token));
  STEP_OR(winipc_receive(e.server, NULL, 0, &size, SOON), WINIPC_E_CANCELLED);
  STEP(winipc_cancel_reset(token));
  winipc_cancel_use(NULL);
  CHECK_OK(winipc_cancel_close(token));
  close_ends(&e);
}

static winipc_status WINIPC_CALL fill(void *address, uint64_t bytes, void *user) {
  memset(address, *(const char *)user, (size_t)bytes);
  return WINIPC_OK;
}

static void share_memory(void) {
  winipc_memory *ours = NULL, *theirs = NULL, *initialised = NULL;
  void *view = NULL;
  winipc_memory_info info = {.size = sizeof info};
  const char *name = harness_name("", "fault");
  STEP(winipc_memory_create(name, 5000, NULL, &ours));
  STEP(winipc_memory_open(name, NULL, &theirs));
  STEP(winipc_memory_get_info(theirs, &info));
  if (fine()) CHECK_EQUAL(info.bytes, 5000);
  STEP(winipc_memory_map(theirs, 100, 0, WINIPC_MEMORY_READ, &view));
  STEP(winipc_memory_unmap(theirs, view));
  STEP(winipc_memory_create_or_open(harness_name("", "initialised"), 100, NULL, fill,
                                    "x", SOON, NULL, &initialised));
  STEP(winipc_memory_map(initialised, 0, 0, WINIPC_MEMORY_READ_WRITE, &view));
  if (fine()) CHECK(!memcmp(view, "xxxx", 4));
  CHECK_OK(winipc_memory_close(initialised));
  CHECK_OK(winipc_memory_close(theirs));
  CHECK_OK(winipc_memory_close(ours));
}

static void lock_and_wait(void) {
  winipc_mutex *mutex = NULL;
  winipc_event *event = NULL;
  winipc_semaphore *semaphore = NULL;
  uint32_t index;
  STEP(winipc_mutex_open(harness_name("", "mutex"), NULL, NULL, &mutex));
  STEP(winipc_event_open(NULL, 1, 0, NULL, NULL, &event));
  STEP(winipc_semaphore_open(NULL, 0, 2, NULL, NULL, &semaphore));
  STEP_OR(winipc_event_wait(event, 1), WINIPC_E_TIMEOUT);
  STEP(winipc_event_set(event));
  STEP(winipc_semaphore_release(semaphore, 2, NULL));
  STEP(winipc_semaphore_acquire(semaphore, SOON));
  STEP(winipc_mutex_lock(mutex, SOON));
  STEP(winipc_mutex_unlock(mutex));
  const void *both[] = {event, semaphore};
  STEP(winipc_wait(both, 2, 0, SOON, &index));
  STEP(winipc_wait(both, 2, 1, SOON, &index));
  CHECK_OK(winipc_mutex_close(mutex));
  CHECK_OK(winipc_event_close(event));
  CHECK_OK(winipc_semaphore_close(semaphore));
}

static void start_a_program(void) {
  winipc_process *process = NULL;
  winipc_output output = {.size = sizeof output};
  uint32_t code = 0;
  const program *p = child_program("child_copies", "x", WINIPC_STREAM_PIPE,
                                   WINIPC_STREAM_PIPE, WINIPC_STREAM_NULL);
  STEP(winipc_process_start(&p->options, &process));
  STEP(winipc_process_communicate(process, "text", 4, 0, &output, SOON));
  if (fine()) CHECK_EQUAL(output.out_size, 4);
  winipc_free(output.out);
  winipc_free(output.error);
  STEP(winipc_process_wait(process, SOON, &code));
  winipc_process_kill_tree(process, 1);
  CHECK_OK(winipc_process_close(process));
}

static void child_copies(const char *argument) {
  (void)argument;
  for (int c; (c = getchar()) != EOF;) putchar(c);
}

/* ---- channels ----
 *
 * Hosts and those who join are of one process, so that a fault may hit either side, on
 * the host's own thread too: then the other is only told that it failed. */

/* A fault in the host's thread, which its own process is not told. */
static bool hit_the_other_side(winipc_status status) {
  return winipc_test_failed() &&
         (status == WINIPC_E_DISCONNECTED || status == WINIPC_E_TIMEOUT ||
          status == WINIPC_E_BUSY || status == WINIPC_E_OUT_OF_MEMORY);
}

#define STEP_OF_TWO_OR(call, also) \
  (first_error.status ? (void)0 : note_of_two(#call, (call), (also)))
#define STEP_OF_TWO(call) STEP_OF_TWO_OR(call, WINIPC_OK)

static void note_of_two(const char *call, winipc_status status, winipc_status also) {
  if (status < 0 && status != also && hit_the_other_side(status)) {
    first_error.status = WINIPC_E_OUT_OF_MEMORY;
    first_error.win32 = FAULT;
  } else
    note_status(call, status, also);
}

static winipc_channel_options small_channel(uint32_t role) {
  winipc_channel_options options;
  winipc_channel_options_init(&options);
  options.role = role;
  options.capacity = 4096;
  options.spin_us = 0;
  return options;
}

enum { MEET_MS = 1500 };

static void talk_over_a_channel(void) {
  ends e = {0};
  static char sent[3000], room[3000];
  size_t size = 0;
  const char *address = harness_name("channel:", "fault");
  winipc_channel_options options = small_channel(WINIPC_CHANNEL_PAIR);
  STEP(winipc_channel_listen(address, &options, &e.listener));
  STEP_OF_TWO(winipc_connect(address, NULL, MEET_MS, &e.client));
  STEP_OF_TWO(winipc_accept(e.listener, MEET_MS, &e.server));
  STEP_OF_TWO(winipc_send(e.client, sent, 100, SOON));
  STEP_OF_TWO(winipc_receive(e.server, room, sizeof room, &size, SOON));
  if (fine()) CHECK_EQUAL(size, 100);
  STEP_OF_TWO(winipc_send(e.client, sent, sizeof sent, SOON)); /* in pieces */
  STEP_OF_TWO(winipc_receive(e.server, room, sizeof room, &size, SOON));
  if (fine()) CHECK_EQUAL(size, sizeof sent);
  STEP_OF_TWO_OR(winipc_receive(e.server, room, sizeof room, &size, 1),
                 WINIPC_E_TIMEOUT);
  close_ends(&e);
}

static void join_a_host(uint32_t host, uint32_t guest) {
  winipc_connection *first = NULL, *second = NULL;
  char room[64];
  size_t size = 0;
  const char *address = harness_name("channel:", "fault");
  winipc_channel_options options = small_channel(host), other = small_channel(guest);
  bool down = host == WINIPC_CHANNEL_PUBLISHER;
  STEP(winipc_channel_open(address, &options, MEET_MS, &first));
  STEP_OF_TWO(winipc_channel_open(address, &other, MEET_MS, &second));
  STEP_OF_TWO(winipc_send(down ? first : second, "0123456789", 10, SOON));
  STEP_OF_TWO(winipc_receive(down ? second : first, room, sizeof room, &size, MEET_MS));
  if (fine()) CHECK_EQUAL(size, 10);
  CHECK_OK(winipc_connection_close(second));
  CHECK_OK(winipc_connection_close(first));
}

static void publish_to_one(void) {
  join_a_host(WINIPC_CHANNEL_PUBLISHER, WINIPC_CHANNEL_SUBSCRIBER);
}

static void send_by_a_lane(void) {
  join_a_host(WINIPC_CHANNEL_FUNNEL, WINIPC_CHANNEL_LANE);
}

static void meet_without_a_name(void) {
  ends e = {0};
  void *other_end = NULL;
  winipc_channel_options options = small_channel(WINIPC_CHANNEL_PAIR);
  STEP(winipc_channel_create(&options, &e.listener, &other_end));
  STEP_OF_TWO(winipc_channel_from_handle(other_end, NULL, MEET_MS, &e.client));
  if (!e.client && other_end) CHECK(CloseHandle(other_end));
  STEP_OF_TWO(winipc_accept(e.listener, MEET_MS, &e.server));
  close_ends(&e);
}

static void look_at_a_channel(void) {
  winipc_connection *publisher = NULL;
  winipc_channel_member members[2] = {{.size = sizeof *members}};
  uint32_t count = 0;
  const char *address = harness_name("channel:", "fault");
  winipc_channel_options options = small_channel(WINIPC_CHANNEL_PUBLISHER);
  STEP(winipc_channel_open(address, &options, MEET_MS, &publisher));
  STEP_OF_TWO(winipc_channel_inspect(address, NULL, MEET_MS, members, 2, &count));
  if (fine()) CHECK_EQUAL(count, 1);
  CHECK_OK(winipc_connection_close(publisher));
}

/* ---- rounds ---- */

/* On a thread of its own, which has nothing kept from earlier rounds. */
static DWORD WINAPI run_round(void *scenario) {
  (*(void (**)(void))scenario)();
  return 0;
}

static void run(void (*scenario)(void)) {
  memset(&first_error, 0, sizeof first_error);
  HANDLE thread = CreateThread(NULL, 0, run_round, &scenario, 0, NULL);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

typedef struct account {
  DWORD handles;
  int64_t pieces;
} account;

static account take_stock(void) {
  return (account){harness_count_handles(), winipc_test_outstanding()};
}

/* What the system's own threads close comes a little later. */
static account take_stock_settled(const account *before) {
  account now = take_stock();
  for (int i = 0; i < SETTLE_MS / 10 && now.handles > before->handles; i++) {
    Sleep(10);
    now = take_stock();
  }
  return now;
}

static void check_round(const char *name, uint32_t nth, const account *before) {
  const winipc_error *e = &first_error;
  account after = take_stock_settled(before);
  bool told = e->win32 == FAULT ||
              (e->status == WINIPC_E_OUT_OF_MEMORY && !e->win32 /* malloc */);
  if (e->status && !(told && winipc_test_failed()))
    harness_fail(__FILE__, __LINE__, "%s, call %u: %s: %s, Win32 %u", name, nth,
                 winipc_status_name(e->status), e->text, e->win32);
  if (after.handles > before->handles || after.pieces != before->pieces)
    harness_fail(__FILE__, __LINE__,
                 "%s, call %u: %lu handles and %lld pieces before, %lu and %lld after",
                 name, nth, before->handles, before->pieces, after.handles,
                 after.pieces);
}

/* Fails the first, second, ... call of the name until none is left to fail. */
static int fail_in_turn(const char *name, void (*scenario)(void)) {
  bool failed = true;
  uint32_t nth = 0;
  for (; failed && nth < MOST_ROUNDS && harness__failures < 10; nth++) {
    account before = take_stock();
    winipc_test_fail(name, nth + 1, FAULT);
    run(scenario);
    check_round(name, nth + 1, &before);
    failed = winipc_test_failed();
    winipc_test_reset();
  }
  return (int)nth - 1;
}

static void fail_everything(void (*scenario)(void)) {
  enum { NAMES = 200 };
  int64_t calls[NAMES] = {0};
  int32_t fails = 0;
  const char *name;
  int faults = 0;
  run(scenario); /* what is made once for the process is made now */
  winipc_test_reset();
  run(scenario);
  CHECK_EQUAL(first_error.status, WINIPC_OK);
  for (uint32_t i = 0; i < NAMES && winipc_test_name(i, &fails); i++)
    calls[i] = winipc_test_calls(winipc_test_name(i, &fails));
  winipc_test_reset();
  for (uint32_t i = 0; i < NAMES && (name = winipc_test_name(i, &fails)); i++)
    if (fails && calls[i]) faults += fail_in_turn(name, scenario);
  CHECK(faults > 0);
  printf("%d faults: ", faults);
}

static void talking_in_messages(void) {
  fail_everything(talk_in_messages);
}
static void accepting_again(void) {
  fail_everything(accept_again);
}
static void talking_in_frames(void) {
  fail_everything(talk_in_frames);
}
static void transacting(void) {
  fail_everything(transact);
}
static void adopting_handles(void) {
  fail_everything(adopt_handles);
}
static void asking_about_a_pipe(void) {
  fail_everything(ask_about_a_pipe);
}
static void heeding_a_token(void) {
  fail_everything(heed_a_token);
}
static void sharing_memory(void) {
  fail_everything(share_memory);
}
static void locking_and_waiting(void) {
  fail_everything(lock_and_wait);
}
static void starting_a_program(void) {
  fail_everything(start_a_program);
}
static void talking_over_a_channel(void) {
  fail_everything(talk_over_a_channel);
}
static void publishing(void) {
  fail_everything(publish_to_one);
}
static void sending_by_a_lane(void) {
  fail_everything(send_by_a_lane);
}
static void meeting_without_a_name(void) {
  fail_everything(meet_without_a_name);
}
static void looking_at_a_channel(void) {
  fail_everything(look_at_a_channel);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(talking_in_messages),
      TEST(accepting_again),
      TEST(talking_in_frames),
      TEST(transacting),
      TEST(adopting_handles),
      TEST(asking_about_a_pipe),
      TEST(heeding_a_token),
      TEST(sharing_memory),
      TEST(locking_and_waiting),
      TEST(starting_a_program),
      TEST(talking_over_a_channel),
      TEST(publishing),
      TEST(sending_by_a_lane),
      TEST(meeting_without_a_name),
      TEST(looking_at_a_channel),
      CHILD(child_copies),
      END,
  };
  return harness_main(argc, argv, tests);
}
