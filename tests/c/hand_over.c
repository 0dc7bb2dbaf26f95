/* Handles on their way into another process: inherited, duplicated, told by message. */
#include "child.h"

static HANDLE new_event(void) {
  return CreateEventA(NULL, TRUE, FALSE, NULL);
}

static bool is_set(HANDLE event) {
  return WaitForSingleObject(event, SOON) == WAIT_OBJECT_0;
}

/* ---- children ---- */

/* Receives a handle from the server at the address, and writes into what it is. */
static void child_receive_handle(const char *address) {
  winipc_connection *server, *received;
  HANDLE handle = NULL;
  CHECK_OK(winipc_connect(address, NULL, SOON, &server));
  CHECK_OK(winipc_receive_handle(server, &handle, SOON));
  CHECK_OK(winipc_connection_from_handle(handle, NULL, &received));
  CHECK_OK(winipc_send(received, "through it", 10, SOON));
  CHECK_OK(winipc_connection_close(received));
  CHECK_OK(winipc_connection_close(server));
}

/* Sends the server a handle to an event, and waits until it is set. */
static void child_send_event(const char *address) {
  winipc_connection *server;
  HANDLE event = new_event();
  CHECK_OK(winipc_connect(address, NULL, SOON, &server));
  CHECK_OK(winipc_send_handle(server, event, SOON));
  CHECK(is_set(event));
  CHECK_OK(winipc_connection_close(server));
}

/* The same over the standard streams. */
static void child_swap_over_stdio(const char *argument) {
  winipc_connection_options options;
  winipc_connection *stdio;
  HANDLE theirs = NULL, event = new_event();
  (void)argument;
  winipc_connection_options_init(&options);
  options.framing = WINIPC_FRAMING_U32;
  CHECK_OK(winipc_connect("stdio:", &options, SOON, &stdio));
  CHECK_OK(winipc_receive_handle(stdio, &theirs, SOON));
  CHECK(SetEvent(theirs));
  CHECK_OK(winipc_send_handle(stdio, event, SOON));
  CHECK(is_set(event));
  CHECK_OK(winipc_connection_close(stdio));
}

/* Its handle comes on the command line. */
static void child_use_inherited(const char *value) {
  char text[16] = "";
  size_t size;
  winipc_connection *parent;
  HANDLE handle = (HANDLE)(uintptr_t)strtoull(value, NULL, 10);
  CHECK_OK(winipc_connection_from_handle(handle, NULL, &parent));
  CHECK_OK(winipc_receive(parent, text, sizeof text, &size, SOON));
  CHECK(size == 4 && !memcmp(text, "ping", 4));
  CHECK_OK(winipc_send(parent, "pong", 4, SOON));
  CHECK_OK(winipc_connection_close(parent));
}

/* Reads the value of a handle, and sets that event. */
static void child_set_given(const char *argument) {
  char line[32] = "";
  (void)argument;
  CHECK(fgets(line, sizeof line, stdin));
  CHECK(SetEvent((HANDLE)(uintptr_t)strtoull(line, NULL, 10)));
}

static void child_sleep(const char *milliseconds) {
  Sleep((DWORD)atoi(milliseconds));
}

/* ---- a server and its child ---- */

static winipc_listener *listener;
static winipc_connection *server;
static winipc_process *process;

static void serve(const char *child) {
  const char *address = harness_name("pipe:", "hand-over");
  CHECK_OK(winipc_listen(address, NULL, &listener));
  process = start(child_program(child, address, WINIPC_STREAM_NULL,
                                WINIPC_STREAM_INHERIT, WINIPC_STREAM_INHERIT));
  CHECK_OK(winipc_accept(listener, SOON, &server));
}

static void end_serving(void) {
  CHECK_EXIT(process, 0);
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
}

static void a_handle_that_was_sent_works_on_the_other_side(void) {
  char text[16];
  size_t size;
  winipc_connection *ours;
  HANDLE other;
  CHECK_OK(winipc_pipe_pair(NULL, &ours, &other));
  serve("child_receive_handle");
  CHECK_OK(winipc_send_handle(server, other, SOON));
  CHECK(CloseHandle(other));
  CHECK_OK(winipc_receive(ours, text, sizeof text, &size, SOON));
  CHECK_EQUAL(size, 10);
  CHECK(!memcmp(text, "through it", 10));
  end_serving();
  CHECK_STATUS(winipc_receive(ours, text, sizeof text, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_OK(winipc_connection_close(ours));
}

static void a_client_sends_handles_too(void) {
  HANDLE event = NULL;
  serve("child_send_event");
  CHECK_OK(winipc_receive_handle(server, &event, SOON));
  CHECK(SetEvent(event));
  end_serving();
  CHECK(CloseHandle(event));
}

static void handles_go_over_standard_streams(void) {
  HANDLE theirs = NULL, event = new_event();
  program *p = child_program("child_swap_over_stdio", "", WINIPC_STREAM_PIPE,
                             WINIPC_STREAM_PIPE, WINIPC_STREAM_INHERIT);
  p->options.streams[0].framing = p->options.streams[1].framing = WINIPC_FRAMING_U32;
  winipc_process *child = start(p);
  winipc_connection *in = take(child, WINIPC_STDIN);
  winipc_connection *out = take(child, WINIPC_STDOUT);
  CHECK_OK(winipc_send_handle(in, event, SOON));
  CHECK_OK(winipc_receive_handle(out, &theirs, SOON));
  CHECK(is_set(event));
  CHECK(SetEvent(theirs));
  CHECK_EXIT(child, 0);
  CHECK_OK(winipc_connection_close(in));
  CHECK_OK(winipc_connection_close(out));
  CloseHandle(theirs);
  CloseHandle(event);
}

static void an_inherited_handle_is_announced_on_the_command_line(void) {
  char value[32], text[16] = "";
  size_t size;
  winipc_connection *ours;
  HANDLE other;
  CHECK_OK(winipc_pipe_pair(NULL, &ours, &other));
  snprintf(value, sizeof value, "%llu", (unsigned long long)(uintptr_t)other);
  program *p = child_program("child_use_inherited", value, WINIPC_STREAM_NULL,
                             WINIPC_STREAM_INHERIT, WINIPC_STREAM_INHERIT);
  p->options.inherited = &other;
  p->options.inherited_count = 1;
  winipc_process *child = start(p);
  CHECK(CloseHandle(other));
  CHECK_OK(winipc_send(ours, "ping", 4, SOON));
  CHECK_OK(winipc_receive(ours, text, sizeof text, &size, SOON));
  CHECK(size == 4 && !memcmp(text, "pong", 4));
  CHECK_STATUS(winipc_receive(ours, text, sizeof text, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_EXIT(child, 0);
  CHECK_OK(winipc_connection_close(ours));
}

static void a_running_process_is_given_a_handle(void) {
  char line[32];
  uint64_t value = 0;
  HANDLE event = new_event();
  winipc_process *child = start_child("child_set_given", "");
  winipc_connection *in = take(child, WINIPC_STDIN);
  CHECK_OK(winipc_process_give_handle(child, event, EVENT_MODIFY_STATE, &value));
  snprintf(line, sizeof line, "%llu\n", (unsigned long long)value);
  CHECK_OK(winipc_send(in, line, strlen(line), SOON));
  CHECK(is_set(event));
  CHECK_EXIT(child, 0);
  CHECK_OK(winipc_connection_close(in));
  CloseHandle(event);
}

static void bad_gifts_are_refused(void) {
  uint64_t value = 1;
  HANDLE event = new_event();
  winipc_process *child = start_child("child_sleep", "20000");
  CHECK_STATUS(winipc_process_give_handle(child, NULL, 0, &value),
               WINIPC_E_INVALID_HANDLE);
  CHECK_EQUAL(value, 0);
  CHECK_STATUS(winipc_process_give_handle(child, INVALID_HANDLE_VALUE, 0, &value),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_give_handle(child, (HANDLE)(uintptr_t)0x7FFC, 0, &value),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_process_give_handle(child, event, 0, NULL),
               WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_process_give_handle(NULL, event, 0, &value),
               WINIPC_E_INVALID_HANDLE);
  CHECK_OK(winipc_process_terminate(child, 0));
  CHECK_EXIT(child, 0);
  CloseHandle(event);
}

/* ---- within one process: both ends are ours ---- */

static winipc_connection *client;

static void open_ends(const winipc_pipe_options *options, uint32_t framing) {
  const char *address = harness_name("pipe:", "ends");
  winipc_connection_options client_options;
  winipc_connection_options_init(&client_options);
  client_options.framing = framing;
  CHECK_OK(winipc_pipe_listen(address, options, &listener));
  CHECK_OK(winipc_connect(address, &client_options, SOON, &client));
  CHECK_OK(winipc_accept(listener, SOON, &server));
}

static void close_ends(void) {
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
}

static void a_message_that_is_no_handle_is_corrupt_and_lost(void) {
  static char large[10000];
  HANDLE handle = INVALID_HANDLE_VALUE;
  unsigned char forged[24] = "winipcHD\1\0\0\0\0\0\0\0\xFC\x7F\0\0\0\0\0";
  open_ends(NULL, WINIPC_FRAMING_AUTO);
  CHECK_OK(winipc_send(client, "", 0, SOON));
  CHECK_OK(winipc_send(client, "short", 5, SOON));
  CHECK_OK(winipc_send(client, large, sizeof large, SOON));
  CHECK_OK(winipc_send(client, large, 24, SOON));
  CHECK_OK(winipc_send(client, forged, 24, SOON)); /* a handle that is not open */
  memset(forged + 16, 0xFF, 8);
  CHECK_OK(winipc_send(client, forged, 24, SOON)); /* the process itself */
  memset(forged + 16, 0, 8);
  CHECK_OK(winipc_send(client, forged, 24, SOON));
  for (int i = 0; i < 7; i++) {
    CHECK_STATUS(winipc_receive_handle(server, &handle, SOON), WINIPC_E_CORRUPT);
    CHECK(!handle);
  }
  CHECK_STATUS(winipc_receive_handle(server, &handle, 20), WINIPC_E_TIMEOUT);
  HANDLE event = new_event();
  CHECK_OK(winipc_send_handle(client, event, SOON));
  CHECK_OK(winipc_receive_handle(server, &handle, SOON));
  CHECK(SetEvent(handle) && is_set(event));
  CloseHandle(event);
  CloseHandle(handle);
  close_ends();
}

static DWORD open_handles(void) {
  DWORD flags, count = 0;
  for (uintptr_t value = 4; value < 4 * 2048; value += 4)
    count += GetHandleInformation((HANDLE)value, &flags) != 0;
  return count;
}

static void a_send_that_fails_leaves_no_handle_behind(void) {
  static char block[4096];
  winipc_pipe_options options;
  HANDLE event = new_event();
  winipc_pipe_options_init(&options);
  options.in_buffer = options.out_buffer = sizeof block;
  open_ends(&options, WINIPC_FRAMING_AUTO);
  CHECK_OK(winipc_send(client, block, sizeof block, SOON));
  CHECK_STATUS(winipc_send_handle(client, event, 20), WINIPC_E_TIMEOUT);
  DWORD before = open_handles();
  for (int i = 0; i < 3; i++)
    CHECK_STATUS(winipc_send_handle(client, event, 20), WINIPC_E_TIMEOUT);
  CHECK_EQUAL(open_handles(), before);
  CloseHandle(event);
  close_ends();
}

static void only_message_framings_carry_handles(void) {
  winipc_pipe_options options;
  HANDLE event = new_event(), handle;
  winipc_pipe_options_init(&options);
  options.type = WINIPC_PIPE_BYTE;
  options.framing = WINIPC_FRAMING_LINE;
  open_ends(&options, WINIPC_FRAMING_NONE);
  CHECK_STATUS(winipc_send_handle(client, event, SOON), WINIPC_E_FRAMING);
  CHECK_STATUS(winipc_receive_handle(client, &handle, SOON), WINIPC_E_FRAMING);
  CHECK_STATUS(winipc_send_handle(server, event, SOON), WINIPC_E_FRAMING);
  CHECK_STATUS(winipc_receive_handle(server, &handle, SOON), WINIPC_E_FRAMING);
  close_ends();
  CloseHandle(event);
}

static void an_anonymous_pipe_does_not_know_its_peer(void) {
  winipc_pipe_options options;
  winipc_connection *ours;
  HANDLE other, event = new_event();
  winipc_pipe_options_init(&options);
  options.framing = WINIPC_FRAMING_U32;
  CHECK_OK(winipc_pipe_pair(&options, &ours, &other));
  CHECK_STATUS(winipc_send_handle(ours, event, SOON), WINIPC_E_UNSUPPORTED);
  CHECK_OK(winipc_connection_close(ours));
  CloseHandle(other);
  CloseHandle(event);
}

static void bad_calls_are_refused(void) {
  HANDLE handle = INVALID_HANDLE_VALUE;
  open_ends(NULL, WINIPC_FRAMING_AUTO);
  CHECK_STATUS(winipc_send_handle(client, NULL, SOON), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_send_handle(client, INVALID_HANDLE_VALUE, SOON),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_send_handle(NULL, client, SOON), WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_receive_handle(client, NULL, SOON), WINIPC_E_INVALID_ARGUMENT);
  CHECK_STATUS(winipc_receive_handle(NULL, &handle, SOON), WINIPC_E_INVALID_HANDLE);
  CHECK(!handle);
  close_ends();
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(a_handle_that_was_sent_works_on_the_other_side),
      TEST(a_client_sends_handles_too),
      TEST(handles_go_over_standard_streams),
      TEST(an_inherited_handle_is_announced_on_the_command_line),
      TEST(a_running_process_is_given_a_handle),
      TEST(bad_gifts_are_refused),
      TEST(a_message_that_is_no_handle_is_corrupt_and_lost),
      TEST(a_send_that_fails_leaves_no_handle_behind),
      TEST(only_message_framings_carry_handles),
      TEST(an_anonymous_pipe_does_not_know_its_peer),
      TEST(bad_calls_are_refused),
      CHILD(child_receive_handle),
      CHILD(child_send_event),
      CHILD(child_swap_over_stdio),
      CHILD(child_use_inherited),
      CHILD(child_set_given),
      CHILD(child_sleep),
      END,
  };
  return harness_main(argc, argv, tests);
}
