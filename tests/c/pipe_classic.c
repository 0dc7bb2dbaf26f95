/* The classic exercises, against programs that never heard of winipc: winipc takes each
 * role in turn, the plain program (tests/interop/classic.c) the other. */
#include "harness.h"

static const char *pipe_path(const char *stem) {
  return harness_name("\\\\.\\pipe\\", stem);
}

static HANDLE start(const char *role, const char *pipes, HANDLE output) {
  char line[512];
  STARTUPINFOA startup = {.cb = sizeof startup,
                          .dwFlags = STARTF_USESTDHANDLES,
                          .hStdInput = GetStdHandle(STD_INPUT_HANDLE),
                          .hStdOutput =
                              output ? output : GetStdHandle(STD_OUTPUT_HANDLE),
                          .hStdError = GetStdHandle(STD_ERROR_HANDLE)};
  PROCESS_INFORMATION process = {0};
  snprintf(line, sizeof line, "classic.exe %s %s", role, pipes);
  CHECK(
      CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process));
  CloseHandle(process.hThread);
  return process.hProcess;
}

/* A child's standard output, through a pipe pair. */
static winipc_connection *capture(HANDLE *output) {
  winipc_pipe_options options;
  winipc_connection *connection;
  winipc_pipe_options_init(&options);
  options.direction = WINIPC_PIPE_INBOUND;
  options.type = WINIPC_PIPE_BYTE;
  options.framing = WINIPC_FRAMING_LINE;
  CHECK_OK(winipc_pipe_pair(&options, &connection, output));
  return connection;
}

static void check_line(winipc_connection *lines, const char *expected) {
  char text[64] = "";
  size_t size;
  CHECK_OK(winipc_receive(lines, text, sizeof text - 1, &size, SOON));
  text[strcspn(text, "\r")] = 0; /* the C runtime writes \r\n */
  if (strcmp(text, expected))
    harness_fail(__FILE__, __LINE__, "\"%s\", not \"%s\"", text, expected);
}

static void check_received(winipc_connection *from, const void *expected,
                           size_t count) {
  char data[64];
  size_t size;
  CHECK_OK(winipc_receive(from, data, sizeof data, &size, SOON));
  CHECK_EQUAL(size, count);
  CHECK(!memcmp(data, expected, count));
}

static void hello_our_server_their_client(void) {
  char text[1024], answer[1100];
  size_t size;
  HANDLE output;
  winipc_listener *listener;
  winipc_connection *client, *lines = capture(&output);
  const char *name = pipe_path("hello");
  CHECK_OK(winipc_listen(name, NULL, &listener));
  HANDLE child = start("hello-client", name, output);
  CloseHandle(output);
  CHECK_OK(winipc_accept(listener, SOON, &client));
  for (int i = 0; i < 3; i++) {
    CHECK_OK(winipc_receive(client, text, sizeof text, &size, SOON));
    size = (size_t)snprintf(answer, sizeof answer, "hello, %.*s", (int)size, text);
    CHECK_OK(winipc_send(client, answer, size, SOON));
  }
  check_line(lines, "hello, one");
  check_line(lines, "hello, two");
  check_line(lines, "hello, three");
  CHECK_STATUS(winipc_receive(client, text, sizeof text, &size, SOON),
               WINIPC_E_DISCONNECTED);
  CHECK_CHILD(child);
  CHECK_OK(winipc_connection_close(lines));
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

static void hello_our_client_their_server(void) {
  char answer[1024];
  size_t size;
  winipc_connection *server;
  const char *name = pipe_path("hello2");
  HANDLE child = start("hello-server", name, NULL);
  CHECK_OK(winipc_connect(name, NULL, SOON, &server));
  CHECK_OK(winipc_send(server, "winipc", 6, SOON));
  check_received(server, "hello, winipc", 13);
  CHECK_OK(winipc_transact(server, "twice", 5, answer, sizeof answer, &size, SOON));
  CHECK(size == 12 && !memcmp(answer, "hello, twice", 12));
  CHECK_OK(winipc_connection_close(server));
  CHECK_CHILD(child);
}

static void sizes_our_server_their_client(void) {
  winipc_pipe_options options;
  winipc_listener *listener;
  HANDLE output;
  winipc_connection *client, *lines = capture(&output);
  const char *name = pipe_path("size");
  winipc_pipe_options_init(&options);
  options.type = WINIPC_PIPE_BYTE;
  options.framing = WINIPC_FRAMING_U32;
  CHECK_OK(winipc_pipe_listen(name, &options, &listener));
  HANDLE child = start("size-client", name, output);
  CloseHandle(output);
  CHECK_OK(winipc_accept(listener, SOON, &client));
  check_received(client, "abc", 3);
  CHECK_OK(winipc_send(client, "first", 5, SOON));
  check_received(client, "", 0);
  CHECK_OK(winipc_send(client, "", 0, SOON));
  check_received(client, "0123456789", 10);
  CHECK_OK(winipc_send(client, "third", 5, SOON));
  check_line(lines, "first");
  check_line(lines, "");
  check_line(lines, "third");
  CHECK_CHILD(child);
  CHECK_OK(winipc_connection_close(lines));
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

static void sizes_our_client_their_server(void) {
  winipc_connection_options options;
  winipc_connection *server;
  const char *name = pipe_path("size2");
  HANDLE child = start("size-server", name, NULL);
  winipc_connection_options_init(&options);
  options.framing = WINIPC_FRAMING_U32;
  CHECK_OK(winipc_connect(name, &options, SOON, &server));
  CHECK_OK(winipc_send(server, "", 0, SOON));
  check_received(server, "", 0);
  /* The empty one is not the last: the peer writes its empty body when we have all of
   * it, and would find us gone. */
  CHECK_OK(winipc_send(server, "stressed", 8, SOON));
  check_received(server, "desserts", 8);
  CHECK_OK(winipc_connection_close(server));
  CHECK_CHILD(child);
}

static winipc_listener *listen_one_way(const char *name, uint32_t direction) {
  winipc_pipe_options options;
  winipc_listener *listener;
  winipc_pipe_options_init(&options);
  options.direction = direction;
  CHECK_OK(winipc_pipe_listen(name, &options, &listener));
  return listener;
}

static void one_way_pipes_we_are_a(void) {
  char pipes[256];
  const char *ab = pipe_path("ab"), *ba = pipe_path("ba");
  winipc_connection *out, *in;
  winipc_listener *out_listener = listen_one_way(ab, WINIPC_PIPE_OUTBOUND);
  winipc_listener *in_listener = listen_one_way(ba, WINIPC_PIPE_INBOUND);
  snprintf(pipes, sizeof pipes, "%s %s", ab, ba);
  HANDLE child = start("one-way-B", pipes, NULL);
  CHECK_OK(winipc_accept(out_listener, SOON, &out));
  CHECK_OK(winipc_accept(in_listener, SOON, &in));
  for (int i = 1, twice = 2; i <= 5; twice = 2 * ++i) {
    CHECK_OK(winipc_send(out, &i, sizeof i, SOON));
    check_received(in, &twice, sizeof twice);
  }
  CHECK_OK(winipc_connection_close(out));
  CHECK_CHILD(child);
  CHECK_OK(winipc_connection_close(in));
  CHECK_OK(winipc_listener_close(out_listener));
  CHECK_OK(winipc_listener_close(in_listener));
}

static void one_way_pipes_we_are_b(void) {
  char pipes[256];
  const char *ab = pipe_path("ab2"), *ba = pipe_path("ba2");
  winipc_connection *in, *out;
  HANDLE output;
  winipc_connection *lines = capture(&output);
  snprintf(pipes, sizeof pipes, "%s %s", ab, ba);
  HANDLE child = start("one-way-A", pipes, output);
  CloseHandle(output);
  CHECK_OK(winipc_connect(ab, NULL, SOON, &in));
  CHECK_OK(winipc_connect(ba, NULL, SOON, &out));
  for (int i = 1; i <= 5; i++) {
    char expected[8];
    int twice = 2 * i;
    check_received(in, &i, sizeof i);
    CHECK_OK(winipc_send(out, &twice, sizeof twice, SOON));
    snprintf(expected, sizeof expected, "%d", twice);
    check_line(lines, expected);
  }
  CHECK_CHILD(child);
  CHECK_OK(winipc_connection_close(lines));
  CHECK_OK(winipc_connection_close(in));
  CHECK_OK(winipc_connection_close(out));
}

/* ---- peers that do not behave ---- */

static winipc_listener *listen_u32(const char *name) {
  winipc_pipe_options options;
  winipc_listener *listener;
  winipc_pipe_options_init(&options);
  options.type = WINIPC_PIPE_BYTE;
  options.framing = WINIPC_FRAMING_U32;
  CHECK_OK(winipc_pipe_listen(name, &options, &listener));
  return listener;
}

static void a_frame_that_dribbles_in_survives_time_outs(void) {
  const char *name = pipe_path("slow");
  char data[16];
  size_t size;
  int time_outs = 0;
  winipc_connection *client;
  winipc_listener *listener = listen_u32(name);
  HANDLE child = start("slow-writer", name, NULL);
  CHECK_OK(winipc_accept(listener, SOON, &client));
  winipc_status status;
  do status = winipc_receive(client, data, sizeof data, &size, 5);
  while (status == WINIPC_E_TIMEOUT && ++time_outs < 10000);
  CHECK_STATUS(status, WINIPC_OK);
  CHECK(time_outs > 5);
  CHECK(size == 5 && !memcmp(data, "slowy", 5));
  CHECK_CHILD(child);
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

static void a_peer_that_dies_in_a_message_is_told_as_truncated(void) {
  const char *name = pipe_path("dies");
  char data[16];
  size_t size;
  winipc_connection *client;
  winipc_listener *listener = listen_u32(name);
  HANDLE child = start("dies", name, NULL);
  CHECK_OK(winipc_accept(listener, SOON, &client));
  CHECK_STATUS(winipc_receive(client, data, sizeof data, &size, SOON),
               WINIPC_E_TRUNCATED);
  CHECK_STATUS(winipc_receive(client, data, sizeof data, &size, SOON),
               WINIPC_E_DISCONNECTED);
  WaitForSingleObject(child, INFINITE);
  CloseHandle(child);
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

static DWORD WINAPI kill_soon(void *process) {
  Sleep(100);
  return (DWORD)TerminateProcess(process, 3);
}

static void a_peer_that_is_killed_is_noticed_at_once(void) {
  const char *name = pipe_path("killed");
  char data[16];
  size_t size;
  winipc_connection *client;
  winipc_listener *listener;
  CHECK_OK(winipc_listen(name, NULL, &listener));
  HANDLE child = start("silent", name, NULL);
  CHECK_OK(winipc_accept(listener, SOON, &client));
  HANDLE thread = CreateThread(NULL, 0, kill_soon, child, 0, NULL);
  CHECK_STATUS(winipc_receive(client, data, sizeof data, &size, WINIPC_FOREVER),
               WINIPC_E_DISCONNECTED);
  CHECK_STATUS(winipc_send(client, "x", 1, SOON), WINIPC_E_DISCONNECTED);
  WaitForSingleObject(thread, INFINITE);
  WaitForSingleObject(child, INFINITE);
  CloseHandle(thread);
  CloseHandle(child);
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(hello_our_server_their_client),
      TEST(hello_our_client_their_server),
      TEST(sizes_our_server_their_client),
      TEST(sizes_our_client_their_server),
      TEST(one_way_pipes_we_are_a),
      TEST(one_way_pipes_we_are_b),
      TEST(a_frame_that_dribbles_in_survives_time_outs),
      TEST(a_peer_that_dies_in_a_message_is_told_as_truncated),
      TEST(a_peer_that_is_killed_is_noticed_at_once),
      END,
  };
  return harness_main(argc, argv, tests);
}
