/* Handles that were opened without FILE_FLAG_OVERLAPPED: a program's own standard
 * streams, adopted handles, and the far end of winipc_pipe_pair. */
#include "child.h"

static winipc_connection_options with_framing(uint32_t framing) {
  winipc_connection_options options;
  winipc_connection_options_init(&options);
  options.framing = framing;
  return options;
}

static winipc_connection *adopt(HANDLE handle, uint32_t framing) {
  winipc_connection_options options = with_framing(framing);
  winipc_connection *connection = NULL;
  CHECK_OK(winipc_connection_from_handle(handle, &options, &connection));
  return connection;
}

static void check_receives(winipc_connection *from, const char *expected) {
  char buffer[256] = "";
  size_t size = 0;
  CHECK_OK(winipc_receive(from, buffer, sizeof buffer - 1, &size, SOON));
  buffer[size] = 0;
  if (size != strlen(expected) || memcmp(buffer, expected, size))
    harness_fail(__FILE__, __LINE__, "received \"%s\", not \"%s\"", buffer, expected);
}

static void check_sends(winipc_connection *to, const char *text) {
  CHECK_OK(winipc_send(to, text, strlen(text), SOON));
}

/* ---- children ---- */

static winipc_connection *connect_stdio(uint32_t framing) {
  winipc_connection_options options = with_framing(framing);
  winipc_connection *stdio = NULL;
  CHECK_OK(winipc_connect("stdio:", &options, SOON, &stdio));
  return stdio;
}

/* Echoes messages until the parent ends the stream; the exit code tells that it did. */
static void child_echo(const char *framing) {
  winipc_connection *stdio = connect_stdio((uint32_t)atoi(framing));
  void *data;
  size_t size;
  winipc_status status;
  while (!(status = winipc_receive_alloc(stdio, &data, &size, WINIPC_FOREVER))) {
    CHECK_OK(winipc_send(stdio, data, size, SOON));
    winipc_free(data);
  }
  CHECK_STATUS(status, WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(stdio));
  exit(status == WINIPC_E_DISCONNECTED ? 33 : 34);
}

/* Times out once, says so, and then echoes one message. */
static void child_time_out(const char *argument) {
  char text[64];
  size_t size;
  winipc_connection *stdio = connect_stdio(WINIPC_FRAMING_LINE);
  (void)argument;
  CHECK_STATUS(winipc_receive(stdio, text, sizeof text, &size, WINIPC_NO_WAIT),
               WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_receive(stdio, text, sizeof text, &size, 50), WINIPC_E_TIMEOUT);
  check_sends(stdio, "timed out");
  CHECK_OK(winipc_receive(stdio, text, sizeof text, &size, SOON));
  CHECK_OK(winipc_send(stdio, text, size, SOON));
  CHECK_OK(winipc_connection_close(stdio));
}

/* Starts an echo with pipes of its own, tells its pid, and sleeps. */
static void child_keep_echo(const char *argument) {
  uint32_t pid = 0;
  (void)argument;
  CHECK_OK(winipc_process_pid(start_child("child_echo", "4"), &pid));
  printf("%u\n", pid);
  fflush(stdout);
  Sleep(30000);
}

static void child_lose_streams(const char *argument) {
  winipc_connection *none = NULL;
  (void)argument;
  SetStdHandle(STD_INPUT_HANDLE, NULL);
  SetStdHandle(STD_OUTPUT_HANDLE, NULL);
  CHECK_STATUS(winipc_connect("stdio:", NULL, 0, &none), WINIPC_E_NOT_FOUND);
  CHECK(!none);
}

static void child_name_peer(const char *pid) {
  winipc_peer peer = {.size = sizeof peer};
  winipc_connection *stdio = connect_stdio(WINIPC_FRAMING_NONE);
  CHECK_OK(winipc_connection_peer(stdio, &peer));
  CHECK_EQUAL(peer.pid, atoi(pid));
  CHECK_OK(winipc_connection_close(stdio));
}

/* ---- stdio: ---- */

static winipc_process *start_framed(const char *child, const char *argument,
                                    uint32_t framing) {
  program *p = child_program(child, argument, WINIPC_STREAM_PIPE, WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_INHERIT);
  p->options.streams[0].framing = p->options.streams[1].framing = framing;
  return start(p);
}

static void check_echo(uint32_t framing, const char *argument) {
  winipc_process *process = start_framed("child_echo", argument, framing);
  winipc_connection *in = take(process, WINIPC_STDIN);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  check_sends(in, "one");
  check_receives(out, "one");
  check_sends(in, "");
  if (framing != WINIPC_FRAMING_NONE) check_receives(out, "");
  check_sends(in, "two\r \x1a \x01");
  check_receives(out, "two\r \x1a \x01");
  CHECK_OK(winipc_connection_close(in));
  CHECK_EXIT(process, 33);
  CHECK_OK(winipc_connection_close(out));
}

static void stdio_carries_every_framing_and_sees_the_end(void) {
  check_echo(WINIPC_FRAMING_U32, "2");
  check_echo(WINIPC_FRAMING_LINE, "3");
  check_echo(WINIPC_FRAMING_NONE, "4");
}

static void stdio_carries_large_messages(void) {
  enum { SIZE = 3000000 };
  char *sent = malloc(SIZE), *received = malloc(SIZE);
  size_t size;
  for (int i = 0; i < SIZE; i++) sent[i] = (char)(i * 7);
  winipc_process *process = start_framed("child_echo", "2", WINIPC_FRAMING_U32);
  winipc_connection *in = take(process, WINIPC_STDIN);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  CHECK_OK(winipc_send(in, sent, SIZE, SOON));
  CHECK_OK(winipc_receive(out, received, SIZE, &size, SOON));
  CHECK_EQUAL(size, SIZE);
  CHECK(!memcmp(sent, received, SIZE));
  CHECK_OK(winipc_connection_close(in));
  CHECK_EXIT(process, 33);
  CHECK_OK(winipc_connection_close(out));
  free(sent);
  free(received);
}

static void a_time_out_on_standard_input_loses_nothing(void) {
  winipc_process *process = start_framed("child_time_out", "", WINIPC_FRAMING_LINE);
  winipc_connection *in = take(process, WINIPC_STDIN);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  check_receives(out, "timed out");
  check_sends(in, "late");
  check_receives(out, "late");
  CHECK_EXIT(process, 0);
  CHECK_OK(winipc_connection_close(in));
  CHECK_OK(winipc_connection_close(out));
}

static void a_child_sees_its_parent_die(void) {
  char line[32] = "";
  size_t size;
  winipc_process *process = start_framed("child_keep_echo", "", WINIPC_FRAMING_LINE);
  winipc_connection *out = take(process, WINIPC_STDOUT);
  winipc_process *grandchild = NULL;
  CHECK_OK(winipc_receive(out, line, sizeof line - 1, &size, SOON));
  CHECK_OK(winipc_process_open((uint32_t)atoi(line), &grandchild));
  CHECK_OK(winipc_process_terminate(process, 1));
  CHECK_EXIT(grandchild, 33);
  CHECK_EXIT(process, 1);
  CHECK_OK(winipc_connection_close(out));
}

static void a_program_without_streams_is_told(void) {
  CHECK_EXIT(start_child("child_lose_streams", ""), 0);
  winipc_connection *none;
  CHECK_STATUS(winipc_connect("stdio:x", NULL, 0, &none), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_listen("stdio:", NULL, (winipc_listener **)&none),
               WINIPC_E_UNSUPPORTED);
}

static void a_child_knows_its_parent(void) {
  char pid[16];
  snprintf(pid, sizeof pid, "%lu", GetCurrentProcessId());
  CHECK_EXIT(start_child("child_name_peer", pid), 0);
}

static void streams_that_were_opened_overlapped_work_too(void) {
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
  const char *name = harness_name("\\\\.\\pipe\\", "overlapped");
  winipc_pipe_options options;
  winipc_listener *listener;
  winipc_connection *server;
  winipc_pipe_options_init(&options);
  options.type = WINIPC_PIPE_BYTE;
  options.framing = WINIPC_FRAMING_U32;
  CHECK_OK(winipc_pipe_listen(name, &options, &listener));
  HANDLE client = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, &inherit,
                              OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
  CHECK_OK(winipc_accept(listener, SOON, &server));
  program *p = child_program("child_echo", "2", WINIPC_STREAM_HANDLE,
                             WINIPC_STREAM_HANDLE, WINIPC_STREAM_INHERIT);
  p->options.streams[0].handle = p->options.streams[1].handle = client;
  winipc_process *process = start(p);
  CloseHandle(client);
  check_sends(server, "hello");
  check_receives(server, "hello");
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
  CHECK_EXIT(process, 33);
}

/* ---- adopted handles ---- */

static HANDLE read_end, write_end;
static winipc_connection *reader, *writer;

static void open_pipe(uint32_t framing) {
  CHECK(CreatePipe(&read_end, &write_end, NULL, 4096));
  reader = adopt(read_end, framing);
  writer = adopt(write_end, framing);
}

static void close_pipe(void) {
  CHECK_OK(winipc_connection_close(reader));
  CHECK_OK(winipc_connection_close(writer));
}

static void an_adopted_handle_says_that_it_is_not_overlapped(void) {
  winipc_connection_info info = {.size = sizeof info};
  HANDLE detached;
  open_pipe(WINIPC_FRAMING_AUTO);
  CHECK_OK(winipc_connection_get_info(reader, &info));
  CHECK_EQUAL(info.overlapped, 0);
  CHECK_EQUAL(info.framing, WINIPC_FRAMING_NONE);
  CHECK_OK(winipc_connection_detach(reader, &detached));
  CHECK(detached == read_end && CloseHandle(read_end));
  reader = NULL;
  close_pipe();
}

static DWORD WINAPI cancel_soon(void *object) {
  Sleep(100);
  winipc_cancel(object);
  return 0;
}

static DWORD WINAPI close_soon(void *object) {
  Sleep(100);
  winipc_connection_close(object);
  return 0;
}

static void check_ended_by(LPTHREAD_START_ROUTINE how, winipc_status expected) {
  char text[8];
  size_t size;
  HANDLE thread = CreateThread(NULL, 0, how, reader, 0, NULL);
  CHECK_STATUS(winipc_receive(reader, text, sizeof text, &size, WINIPC_FOREVER),
               expected);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

static void times_out_is_cancelled_and_goes_on(void) {
  char text[8];
  size_t size;
  open_pipe(WINIPC_FRAMING_LINE);
  CHECK_STATUS(winipc_receive(reader, text, 8, &size, WINIPC_NO_WAIT),
               WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_receive(reader, text, 8, &size, 30), WINIPC_E_TIMEOUT);
  check_ended_by(cancel_soon, WINIPC_E_CANCELLED);
  check_sends(writer, "still");
  check_receives(reader, "still");
  check_ended_by(close_soon, WINIPC_E_CLOSED);
  reader = NULL;
  close_pipe();
}

static void a_cancel_token_ends_a_read(void) {
  char text[8];
  size_t size;
  winipc_cancel_token *token;
  open_pipe(WINIPC_FRAMING_NONE);
  CHECK_OK(winipc_cancel_create(&token));
  CHECK_OK(winipc_cancel_fire(token));
  CHECK_OK(winipc_cancel_use(token));
  CHECK_STATUS(winipc_receive(reader, text, 8, &size, WINIPC_FOREVER),
               WINIPC_E_CANCELLED);
  CHECK_OK(winipc_cancel_use(NULL));
  CHECK_OK(winipc_cancel_close(token));
  check_sends(writer, "still");
  check_receives(reader, "still");
  close_pipe();
}

static void a_full_pipe_breaks_the_connection_and_no_message(void) {
  static char block[100000];
  size_t size;
  open_pipe(WINIPC_FRAMING_U32);
  CHECK_STATUS(winipc_send(writer, block, sizeof block, 50), WINIPC_E_INCOMPLETE);
  CHECK_STATUS(winipc_send(writer, "x", 1, SOON), WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(writer));
  writer = NULL;
  winipc_status status = winipc_receive(reader, block, sizeof block, &size, SOON);
  CHECK(status == WINIPC_E_TRUNCATED || status == WINIPC_E_DISCONNECTED);
  close_pipe();
}

static void a_send_without_waiting_takes_the_room_that_there_is(void) {
  open_pipe(WINIPC_FRAMING_U32);
  CHECK_OK(winipc_send(writer, "now", 3, WINIPC_NO_WAIT));
  check_receives(reader, "now");
  close_pipe();
}

static void drain_waits_for_the_reader(void) {
  open_pipe(WINIPC_FRAMING_LINE);
  check_sends(writer, "unread");
  CHECK_STATUS(winipc_drain(writer, 50), WINIPC_E_TIMEOUT);
  check_receives(reader, "unread");
  CHECK_OK(winipc_drain(writer, SOON));
  close_pipe();
}

static void a_file_is_read_to_its_end(void) {
  char path[MAX_PATH], folder[MAX_PATH];
  size_t size;
  GetTempPathA(sizeof folder, folder);
  CHECK(GetTempFileNameA(folder, "ipc", 0, path));
  HANDLE file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
  writer = adopt(file, WINIPC_FRAMING_LINE);
  check_sends(writer, "first");
  check_sends(writer, "second");
  CHECK_OK(winipc_drain(writer, SOON));
  CHECK_OK(winipc_connection_close(writer));
  file = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
  reader = adopt(file, WINIPC_FRAMING_LINE);
  check_receives(reader, "first");
  check_receives(reader, "second");
  CHECK_STATUS(winipc_receive(reader, folder, sizeof folder, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(reader));
  DeleteFileA(path);
}

static void what_is_no_stream_is_refused_and_stays_ours(void) {
  winipc_connection *none = (winipc_connection *)(uintptr_t)1;
  HANDLE event = CreateEventA(NULL, TRUE, FALSE, NULL);
  winipc_connection_options options = with_framing(WINIPC_FRAMING_MESSAGE);
  CHECK(winipc_connection_from_handle(event, NULL, &none) < 0);
  CHECK(!none);
  CHECK(CloseHandle(event));
  CHECK_STATUS(winipc_connection_from_handle(event, NULL, &none),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_connection_from_handle(NULL, NULL, &none),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_connection_from_handle(INVALID_HANDLE_VALUE, NULL, &none),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_connection_from_handle(event, NULL, NULL),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK(CreatePipe(&read_end, &write_end, NULL, 0));
  CHECK_STATUS(winipc_connection_from_handle(read_end, &options, &none),
               WINIPC_E_FRAMING);
  CHECK(CloseHandle(read_end));
  CHECK(CloseHandle(write_end));
}

/* ---- winipc_pipe_pair ---- */

static winipc_connection *ours, *theirs;

static void open_pair(uint32_t direction, uint32_t type, uint32_t framing) {
  winipc_pipe_options options;
  HANDLE other = NULL;
  DWORD flags = 0;
  winipc_pipe_options_init(&options);
  options.direction = direction;
  options.type = type;
  options.framing = framing;
  CHECK_OK(winipc_pipe_pair(&options, &ours, &other));
  CHECK(GetHandleInformation(other, &flags) && (flags & HANDLE_FLAG_INHERIT));
  theirs = adopt(other, framing);
}

static void close_pair(void) {
  CHECK_OK(winipc_connection_close(ours));
  CHECK_OK(winipc_connection_close(theirs));
}

static void check_pair(uint32_t direction, uint32_t type, uint32_t framing) {
  open_pair(direction, type, framing);
  if (direction != WINIPC_PIPE_OUTBOUND) {
    check_sends(theirs, "in");
    check_receives(ours, "in");
  }
  if (direction != WINIPC_PIPE_INBOUND) {
    check_sends(ours, "out");
    check_receives(theirs, "out");
  }
  close_pair();
}

static void a_pair_carries_every_direction_type_and_framing(void) {
  for (uint32_t direction = 0; direction <= WINIPC_PIPE_OUTBOUND; direction++) {
    for (uint32_t framing = WINIPC_FRAMING_U32; framing <= WINIPC_FRAMING_NONE;
         framing++)
      check_pair(direction, WINIPC_PIPE_BYTE, framing);
    check_pair(direction, WINIPC_PIPE_MESSAGE, WINIPC_FRAMING_U32);
  }
  check_pair(WINIPC_PIPE_DUPLEX, WINIPC_PIPE_MESSAGE, WINIPC_FRAMING_MESSAGE);
}

static void a_pair_is_of_bytes_unless_it_is_told(void) {
  winipc_connection_info info = {.size = sizeof info};
  HANDLE other;
  CHECK_OK(winipc_pipe_pair(NULL, &ours, &other));
  CHECK_OK(winipc_connection_get_info(ours, &info));
  CHECK_EQUAL(info.framing, WINIPC_FRAMING_NONE);
  CHECK_EQUAL(info.overlapped, 1);
  CHECK(CloseHandle(other));
  CHECK_STATUS(winipc_receive(ours, &info, sizeof info, &(size_t){0}, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(ours));
}

static void an_end_that_was_closed_is_seen_after_the_data(void) {
  char text[8];
  size_t size;
  open_pair(WINIPC_PIPE_DUPLEX, WINIPC_PIPE_BYTE, WINIPC_FRAMING_LINE);
  check_sends(ours, "last words");
  CHECK_OK(winipc_connection_close(ours));
  ours = NULL;
  check_receives(theirs, "last words");
  CHECK_STATUS(winipc_receive(theirs, text, sizeof text, &size, SOON),
               WINIPC_E_DISCONNECTED);
  close_pair();
}

static void wrong_pairs_are_refused(void) {
  winipc_pipe_options options;
  HANDLE other = INVALID_HANDLE_VALUE;
#define REFUSED(change, status)                                      \
  do {                                                               \
    winipc_pipe_options_init(&options);                              \
    change;                                                          \
    CHECK_STATUS(winipc_pipe_pair(&options, &ours, &other), status); \
    CHECK(!ours && !other);                                          \
  } while (0)
  REFUSED(options.direction = 3, WINIPC_E_INVALID_ARGUMENT);
  REFUSED(options.type = 2, WINIPC_E_INVALID_ARGUMENT);
  REFUSED(options.framing = 5, WINIPC_E_INVALID_ARGUMENT);
  REFUSED(options.max_message = 0, WINIPC_E_INVALID_ARGUMENT);
  REFUSED((options.type = WINIPC_PIPE_BYTE, options.framing = WINIPC_FRAMING_MESSAGE),
          WINIPC_E_FRAMING);
  REFUSED(
      (options.type = WINIPC_PIPE_BYTE, options.read_mode = WINIPC_PIPE_READ_MESSAGE),
      WINIPC_E_INVALID_ARGUMENT);
#undef REFUSED
  CHECK_STATUS(winipc_pipe_pair(NULL, NULL, &other), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_pipe_pair(NULL, &ours, NULL), WINIPC_E_INVALID_ARGUMENT);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(stdio_carries_every_framing_and_sees_the_end),
      TEST(stdio_carries_large_messages),
      TEST(a_time_out_on_standard_input_loses_nothing),
      TEST(a_child_sees_its_parent_die),
      TEST(a_program_without_streams_is_told),
      TEST(a_child_knows_its_parent),
      TEST(streams_that_were_opened_overlapped_work_too),
      TEST(an_adopted_handle_says_that_it_is_not_overlapped),
      TEST(times_out_is_cancelled_and_goes_on),
      TEST(a_cancel_token_ends_a_read),
      TEST(a_full_pipe_breaks_the_connection_and_no_message),
      TEST(a_send_without_waiting_takes_the_room_that_there_is),
      TEST(drain_waits_for_the_reader),
      TEST(a_file_is_read_to_its_end),
      TEST(what_is_no_stream_is_refused_and_stays_ours),
      TEST(a_pair_carries_every_direction_type_and_framing),
      TEST(a_pair_is_of_bytes_unless_it_is_told),
      TEST(an_end_that_was_closed_is_seen_after_the_data),
      TEST(wrong_pairs_are_refused),
      CHILD(child_echo),
      CHILD(child_time_out),
      CHILD(child_keep_echo),
      CHILD(child_lose_streams),
      CHILD(child_name_peer),
      END,
  };
  return harness_main(argc, argv, tests);
}
