/* How many system calls an operation costs: as many as a careful program makes by hand,
 * which is one for the I/O and one more to wait when it is pending. */
#include "harness.h"

#include "counted.h"

enum { MESSAGES = 30, SMALL = 64, LARGE = 200000 /* more than a pipe's buffer */ };

static winipc_connection *server;
static HANDLE peer; /* the other end, held by plain Win32 calls, which nobody counts */
static char data[LARGE];

static void open_pair(uint32_t type, uint32_t framing) {
  winipc_listener *listener;
  winipc_pipe_options options;
  char path[160];
  const char *name = harness_name("", "calls");
  DWORD mode = PIPE_READMODE_MESSAGE;
  winipc_pipe_options_init(&options);
  options.type = type;
  options.framing = framing;
  snprintf(path, sizeof path, "\\\\.\\pipe\\%s", name);
  CHECK_OK(winipc_pipe_listen(path, &options, &listener));
  peer =
      CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
  CHECK(peer != INVALID_HANDLE_VALUE);
  if (type == WINIPC_PIPE_MESSAGE)
    CHECK(SetNamedPipeHandleState(peer, &mode, NULL, NULL));
  CHECK_OK(winipc_accept(listener, SOON, &server));
  CHECK_OK(winipc_listener_close(listener));
}

static void close_pair(void) {
  CHECK_OK(winipc_connection_close(server));
  CHECK(CloseHandle(peer));
}

static void peer_writes(DWORD size) {
  DWORD done;
  CHECK(WriteFile(peer, data, size, &done, NULL) && done == size);
}

static void peer_reads(DWORD size) {
  static char got[LARGE];
  DWORD done;
  for (; size; size -= done)
    if (!ReadFile(peer, got, size, &done, NULL)) {
      CHECK(!"ReadFile");
      return;
    }
}

static DWORD WINAPI peer_writes_late(void *nothing) {
  for (int i = 0; i < MESSAGES; i++) {
    Sleep(3);
    peer_writes(SMALL);
  }
  return nothing != NULL;
}

static DWORD WINAPI peer_reads_late(void *nothing) {
  for (int i = 0; i < MESSAGES; i++) {
    Sleep(3);
    peer_reads(LARGE);
  }
  return nothing != NULL;
}

static DWORD WINAPI peer_answers(void *nothing) {
  for (int i = 0; i < MESSAGES; i++) {
    peer_reads(SMALL);
    peer_writes(SMALL);
  }
  return nothing != NULL;
}

static HANDLE start(LPTHREAD_START_ROUTINE routine) {
  return CreateThread(NULL, 0, routine, NULL, 0, NULL);
}

static void finish(HANDLE thread) {
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

static long long waits(void) {
  return winipc_test_calls("WaitForSingleObject") +
         winipc_test_calls("WaitForMultipleObjects");
}

/* Since the reset: one call of `io` for each message, and at most so many waits. */
static void check_calls(const char *io, long long most_waits) {
  CHECK_EQUAL(winipc_test_calls(io), MESSAGES);
  CHECK(waits() <= most_waits);
  CHECK_EQUAL(winipc_test_calls(NULL), MESSAGES + waits());
  CHECK_EQUAL(winipc_test_calls("malloc"), 0);
  CHECK_EQUAL(winipc_test_calls("calloc"), 0);
}

static void receive(uint32_t timeout_ms) {
  char buffer[SMALL];
  size_t size;
  CHECK_OK(winipc_receive(server, buffer, sizeof buffer, &size, timeout_ms));
  CHECK_EQUAL(size, SMALL);
}

static void check_what_is_there_is_received(uint32_t type, uint32_t timeout_ms) {
  open_pair(type, WINIPC_FRAMING_AUTO);
  for (int i = 0; i < MESSAGES; i++) peer_writes(SMALL);
  winipc_test_reset();
  for (int i = 0; i < MESSAGES; i++) receive(timeout_ms);
  check_calls("ReadFile", 0);
  close_pair();
}

static void a_message_that_is_there_costs_one_call(void) {
  check_what_is_there_is_received(WINIPC_PIPE_MESSAGE, WINIPC_FOREVER);
  check_what_is_there_is_received(WINIPC_PIPE_MESSAGE, SOON);
  check_what_is_there_is_received(WINIPC_PIPE_MESSAGE, WINIPC_NO_WAIT);
}

static void bytes_that_are_there_cost_one_call(void) {
  check_what_is_there_is_received(WINIPC_PIPE_BYTE, WINIPC_FOREVER);
  check_what_is_there_is_received(WINIPC_PIPE_BYTE, WINIPC_NO_WAIT);
}

static void check_late_ones_are_received(uint32_t type, uint32_t timeout_ms) {
  open_pair(type, WINIPC_FRAMING_AUTO);
  CHECK_STATUS(winipc_receive(server, data, 1, &(size_t){0}, 1), WINIPC_E_TIMEOUT);
  winipc_test_reset(); /* this thread has waited once, and has its wake-up event */
  HANDLE thread = start(peer_writes_late);
  for (int i = 0; i < MESSAGES; i++) receive(timeout_ms);
  finish(thread);
  CHECK(waits() > 0);
  check_calls("ReadFile", MESSAGES);
  close_pair();
}

static void a_message_that_comes_late_costs_two_calls(void) {
  check_late_ones_are_received(WINIPC_PIPE_MESSAGE, WINIPC_FOREVER);
  check_late_ones_are_received(WINIPC_PIPE_MESSAGE, SOON);
}

static void bytes_that_come_late_cost_two_calls(void) {
  check_late_ones_are_received(WINIPC_PIPE_BYTE, WINIPC_FOREVER);
  check_late_ones_are_received(WINIPC_PIPE_BYTE, SOON);
}

static void a_cancel_token_costs_no_call(void) {
  winipc_cancel_token *token;
  CHECK_OK(winipc_cancel_create(&token));
  CHECK_OK(winipc_cancel_use(token));
  check_late_ones_are_received(WINIPC_PIPE_MESSAGE, SOON);
  check_what_is_there_is_received(WINIPC_PIPE_MESSAGE, SOON);
  CHECK_OK(winipc_cancel_use(NULL));
  CHECK_OK(winipc_cancel_close(token));
}

static void check_sends_with_room(uint32_t type, uint32_t framing,
                                  uint32_t timeout_ms) {
  open_pair(type, framing);
  CHECK_OK(winipc_send(server, data, SMALL, SOON)); /* a framing keeps its memory */
  winipc_test_reset();
  for (int i = 0; i < MESSAGES; i++)
    CHECK_OK(winipc_send(server, data, SMALL, timeout_ms));
  check_calls("WriteFile", 0);
  close_pair();
}

static void a_send_with_room_costs_one_call(void) {
  check_sends_with_room(WINIPC_PIPE_MESSAGE, WINIPC_FRAMING_AUTO, WINIPC_FOREVER);
  check_sends_with_room(WINIPC_PIPE_MESSAGE, WINIPC_FRAMING_AUTO, WINIPC_NO_WAIT);
  check_sends_with_room(WINIPC_PIPE_BYTE, WINIPC_FRAMING_AUTO, SOON);
  check_sends_with_room(WINIPC_PIPE_BYTE, WINIPC_FRAMING_U32, SOON);
}

static void check_sends_without_room(uint32_t type) {
  open_pair(type, WINIPC_FRAMING_AUTO);
  CHECK_STATUS(winipc_receive(server, data, 1, &(size_t){0}, 1), WINIPC_E_TIMEOUT);
  winipc_test_reset();
  HANDLE thread = start(peer_reads_late);
  for (int i = 0; i < MESSAGES; i++) CHECK_OK(winipc_send(server, data, LARGE, SOON));
  finish(thread);
  CHECK(waits() > 0);
  check_calls("WriteFile", MESSAGES);
  close_pair();
}

static void a_send_without_room_costs_two_calls(void) {
  check_sends_without_room(WINIPC_PIPE_MESSAGE);
  check_sends_without_room(WINIPC_PIPE_BYTE);
}

static void a_transaction_costs_two_calls(void) {
  char reply[SMALL];
  size_t size;
  open_pair(WINIPC_PIPE_MESSAGE, WINIPC_FRAMING_AUTO);
  CHECK_STATUS(winipc_receive(server, data, 1, &size, 1), WINIPC_E_TIMEOUT);
  winipc_test_reset();
  HANDLE thread = start(peer_answers);
  for (int i = 0; i < MESSAGES; i++)
    CHECK_OK(winipc_transact(server, data, SMALL, reply, SMALL, &size, SOON));
  finish(thread);
  check_calls("TransactNamedPipe", MESSAGES);
  close_pair();
}

/* ReleaseMutex is called through a pointer, and so goes past the hook. */
static void a_lock_that_is_free_costs_one_call(void) {
  winipc_mutex *mutex;
  winipc_semaphore *semaphore;
  CHECK_OK(winipc_mutex_open(NULL, NULL, NULL, &mutex));
  CHECK_OK(winipc_semaphore_open(NULL, 1, 1, NULL, NULL, &semaphore));
  winipc_test_reset();
  for (int i = 0; i < MESSAGES; i++) {
    CHECK_OK(winipc_mutex_lock(mutex, i % 2 ? WINIPC_FOREVER : SOON));
    CHECK_OK(winipc_mutex_unlock(mutex));
  }
  CHECK_EQUAL(winipc_test_calls("WaitForSingleObject"), MESSAGES);
  CHECK_EQUAL(winipc_test_calls(NULL), MESSAGES);
  winipc_test_reset();
  for (int i = 0; i < MESSAGES; i++) {
    CHECK_OK(winipc_semaphore_acquire(semaphore, i % 2 ? WINIPC_FOREVER : SOON));
    CHECK_OK(winipc_semaphore_release(semaphore, 1, NULL));
  }
  CHECK_EQUAL(winipc_test_calls("WaitForSingleObject"), MESSAGES);
  CHECK_EQUAL(winipc_test_calls("ReleaseSemaphore"), MESSAGES);
  CHECK_EQUAL(winipc_test_calls(NULL), 2 * MESSAGES);
  CHECK_OK(winipc_mutex_close(mutex));
  CHECK_OK(winipc_semaphore_close(semaphore));
}

/* ---- channels ---- */

enum { BUSY_MESSAGES = 20000 };

static winipc_connection *channel_ends[2];

static void open_channel(uint32_t spin_us) {
  winipc_listener *listener;
  winipc_channel_options options;
  const char *address = harness_name("channel:", "calls");
  CHECK_OK(winipc_channel_options_init(&options));
  options.spin_us = spin_us;
  CHECK_OK(winipc_channel_listen(address, &options, &listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &channel_ends[0]));
  CHECK_OK(winipc_accept(listener, SOON, &channel_ends[1]));
  CHECK_OK(winipc_listener_close(listener));
  Sleep(20); /* the last of the meeting is over */
}

static void close_channel(void) {
  CHECK_OK(winipc_connection_close(channel_ends[0]));
  CHECK_OK(winipc_connection_close(channel_ends[1]));
}

/* What is there is received, and what there is room for is sent, in this process. */
static void a_busy_channel_costs_no_call(void) {
  char room[SMALL];
  size_t size;
  open_channel(WINIPC_SPIN_AUTO);
  winipc_test_reset();
  for (int i = 0; i < BUSY_MESSAGES; i++) {
    CHECK_OK(winipc_send(channel_ends[i % 2], data, SMALL, SOON));
    CHECK_OK(winipc_receive(channel_ends[(i + 1) % 2], room, SMALL, &size, SOON));
  }
  CHECK_EQUAL(winipc_test_calls(NULL), 0);
  CHECK_EQUAL(winipc_test_calls("malloc") + winipc_test_calls("calloc"), 0);
  close_channel();
}

static DWORD WINAPI stream_out(void *nothing) {
  for (int i = 0; i < BUSY_MESSAGES; i++)
    CHECK_OK(winipc_send(channel_ends[0], data, SMALL, SOON));
  return nothing != NULL;
}

/* A reader that has nothing to do for long sleeps, by one call, and makes no other. */
static void an_idle_channel_costs_no_call(void) {
  char byte;
  size_t size;
  open_channel(0);
  CHECK_STATUS(winipc_receive(channel_ends[1], &byte, 1, &size, 1), WINIPC_E_TIMEOUT);
  winipc_test_reset();
  CHECK_STATUS(winipc_receive(channel_ends[1], &byte, 1, &size, 300), WINIPC_E_TIMEOUT);
  CHECK_EQUAL(winipc_test_calls("WaitForMultipleObjects"), 1);
  CHECK_EQUAL(winipc_test_calls(NULL), 1);
  close_channel();
}

/* Both sides busy, on threads of their own: a sleep now and then, when the scheduler
 * has taken one of them away, is far from one for each message. */
static void a_stream_between_threads_costs_hardly_a_call(void) {
  char room[SMALL];
  size_t size;
  open_channel(WINIPC_SPIN_AUTO);
  winipc_test_reset();
  HANDLE thread = start(stream_out);
  for (int i = 0; i < BUSY_MESSAGES; i++)
    CHECK_OK(winipc_receive(channel_ends[1], room, SMALL, &size, SOON));
  finish(thread);
  CHECK(winipc_test_calls(NULL) < BUSY_MESSAGES / 10);
  close_channel();
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(a_message_that_is_there_costs_one_call),
      TEST(bytes_that_are_there_cost_one_call),
      TEST(a_message_that_comes_late_costs_two_calls),
      TEST(bytes_that_come_late_cost_two_calls),
      TEST(a_cancel_token_costs_no_call),
      TEST(a_send_with_room_costs_one_call),
      TEST(a_send_without_room_costs_two_calls),
      TEST(a_transaction_costs_two_calls),
      TEST(a_lock_that_is_free_costs_one_call),
      TEST(a_busy_channel_costs_no_call),
      TEST(an_idle_channel_costs_no_call),
      TEST(a_stream_between_threads_costs_hardly_a_call),
      END,
  };
  return harness_main(argc, argv, tests);
}
