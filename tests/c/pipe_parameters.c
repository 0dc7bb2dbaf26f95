/* Every parameter of a pipe does what it says, as the system itself tells it. */
#include "harness.h"

static winipc_pipe_options options;
static winipc_pipe_client_options client_options;
static winipc_connection *client, *server;
static winipc_listener *listener;

static void defaults(void) {
  winipc_pipe_options_init(&options);
  winipc_pipe_client_options_init(&client_options);
}

static void open_pair(void) {
  const char *address = harness_name("pipe:", "parameters");
  CHECK_OK(winipc_pipe_listen(address, &options, &listener));
  CHECK_OK(winipc_pipe_connect(address, &client_options, SOON, &client));
  CHECK_OK(winipc_accept(listener, SOON, &server));
}

static void close_pair(void) {
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_listener_close(listener));
}

static HANDLE native(winipc_connection *connection) {
  void *handle = NULL;
  CHECK_OK(winipc_native_handle(connection, &handle));
  return handle;
}

static uint32_t framing_of(winipc_connection *connection) {
  winipc_connection_info info = {.size = sizeof info};
  CHECK_OK(winipc_connection_get_info(connection, &info));
  return info.framing;
}

static void the_defaults_are_the_safe_ones(void) {
  DWORD flags, out, in, most;
  defaults();
  open_pair();
  CHECK(GetNamedPipeInfo(native(server), &flags, &out, &in, &most));
  CHECK(flags & PIPE_TYPE_MESSAGE);
  CHECK(most >= PIPE_UNLIMITED_INSTANCES); /* Wine says 2^32 - 1 */
  CHECK_EQUAL(in, 65536);
  CHECK(GetHandleInformation(native(server), &flags));
  CHECK_EQUAL(flags & HANDLE_FLAG_INHERIT, 0);
  CHECK_EQUAL(framing_of(server), WINIPC_FRAMING_MESSAGE);
  CHECK_EQUAL(framing_of(client), WINIPC_FRAMING_MESSAGE);
  close_pair();
}

/* The owner and the one entry of the DACL are this user; the label is there where the
 * system keeps labels on pipes. */
static void the_default_lets_the_current_user_in_and_nobody_else(void) {
  winipc_peer self = {.size = sizeof self};
  char *sddl, owner[256], entry[256];
  defaults();
  open_pair();
  CHECK_OK(winipc_connection_peer(client, &self));
  CHECK_OK(winipc_pipe_get_sddl(server, &sddl));
  snprintf(owner, sizeof owner, "O:%s", self.user);
  snprintf(entry, sizeof entry, ";;;%s)", self.user);
  CHECK(strstr(sddl, owner) == sddl);
  CHECK(strstr(sddl, "D:P(A;;") != NULL);
  CHECK(strstr(sddl, entry) != NULL);
  const char *dacl = strstr(sddl, "D:P("),
             *second = dacl ? strchr(dacl + 4, '(') : NULL;
  const char *label = strstr(sddl, "S:");
  CHECK(!second || (label && second > label));
  if (winipc_has("pipe.enforced-security")) CHECK(label && strstr(label, "(ML;;"));
  if (harness__failures) printf("%s\n", sddl);
  winipc_free(sddl);
  close_pair();
}

static void an_sddl_string_overrides_the_preset(void) {
  char *sddl;
  defaults();
  options.sddl = "D:P(A;;GA;;;WD)";
  open_pair();
  CHECK_OK(winipc_pipe_get_sddl(server, &sddl));
  CHECK(strstr(sddl, ";;;WD)") != NULL);
  winipc_free(sddl);
  close_pair();
}

static void a_pipe_can_be_of_byte_type(void) {
  winipc_pipe_info info = {.size = sizeof info};
  defaults();
  options.type = WINIPC_PIPE_BYTE;
  open_pair();
  CHECK_OK(winipc_pipe_get_info(server, &info));
  CHECK_EQUAL(info.type, WINIPC_PIPE_BYTE);
  CHECK_EQUAL(info.read_mode, WINIPC_PIPE_READ_BYTE);
  CHECK_EQUAL(framing_of(server), WINIPC_FRAMING_NONE);
  CHECK_EQUAL(framing_of(client), WINIPC_FRAMING_NONE);
  close_pair();
}

static void a_message_pipe_can_be_read_as_bytes(void) {
  char data[16];
  size_t size;
  winipc_pipe_info info = {.size = sizeof info};
  defaults();
  options.read_mode = WINIPC_PIPE_READ_BYTE;
  open_pair();
  CHECK_OK(winipc_pipe_get_info(server, &info));
  CHECK_EQUAL(info.type, WINIPC_PIPE_MESSAGE);
  CHECK_EQUAL(info.read_mode, WINIPC_PIPE_READ_BYTE);
  CHECK_EQUAL(framing_of(server), WINIPC_FRAMING_NONE);
  CHECK_OK(winipc_send(client, "abc", 3, SOON));
  CHECK_OK(winipc_send(client, "def", 3, SOON));
  CHECK_OK(winipc_receive(server, data, 6, &size, SOON));
  CHECK_EQUAL(size, 6);
  close_pair();
}

static void the_framing_message_needs_a_message_pipe(void) {
  winipc_connection *none;
  const char *address = harness_name("pipe:", "bytes");
  defaults();
  options.type = WINIPC_PIPE_BYTE;
  client_options.framing = WINIPC_FRAMING_MESSAGE;
  CHECK_OK(winipc_pipe_listen(address, &options, &listener));
  CHECK_STATUS(winipc_pipe_connect(address, &client_options, SOON, &none),
               WINIPC_E_FRAMING);
  CHECK_OK(winipc_listener_close(listener));
}

static void one_way_pipes_go_one_way(void) {
  char data[8];
  size_t size;
  for (uint32_t way = WINIPC_PIPE_INBOUND; way <= WINIPC_PIPE_OUTBOUND; way++) {
    defaults();
    options.direction = way;
    open_pair();
    winipc_connection *from = way == WINIPC_PIPE_INBOUND ? client : server;
    winipc_connection *to = way == WINIPC_PIPE_INBOUND ? server : client;
    CHECK_OK(winipc_send(from, "this way", 8, SOON));
    CHECK_OK(winipc_receive(to, data, 8, &size, SOON));
    CHECK_STATUS(winipc_send(to, "x", 1, SOON), WINIPC_E_ACCESS_DENIED);
    CHECK_STATUS(winipc_receive(from, data, 8, &size, 20), WINIPC_E_ACCESS_DENIED);
    close_pair();
  }
}

static void buffers_limits_and_inheritance_reach_the_system(void) {
  DWORD flags, out, in, most;
  defaults();
  options.in_buffer = 4096;
  options.out_buffer = 8192;
  options.max_instances = 3;
  options.inheritable = client_options.inheritable = 1;
  options.write_through = client_options.write_through = 1;
  options.default_timeout_ms = 1234;
  options.extra_access = WRITE_DAC;
  open_pair();
  CHECK(GetNamedPipeInfo(native(server), &flags, &out, &in, &most));
  CHECK_EQUAL(in, 4096);
  CHECK_EQUAL(out, 8192);
  CHECK_EQUAL(most, 4); /* one more, for the successor */
  CHECK(GetHandleInformation(native(server), &flags));
  CHECK_EQUAL(flags & HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  CHECK(GetHandleInformation(native(client), &flags));
  CHECK_EQUAL(flags & HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  close_pair();
}

static void the_name_must_be_free_unless_one_joins(void) {
  winipc_listener *second;
  const char *address = harness_name("pipe:", "first");
  defaults();
  CHECK_OK(winipc_pipe_listen(address, &options, &listener));
  if (winipc_has("pipe.first-instance"))
    CHECK_STATUS(winipc_pipe_listen(address, &options, &second), WINIPC_E_EXISTS);
  else
    printf("skipped: this system ignores FILE_FLAG_FIRST_PIPE_INSTANCE\n");
  options.first_instance = 0;
  CHECK_OK(winipc_pipe_listen(address, &options, &second));
  CHECK_OK(winipc_listener_close(second));
  CHECK_OK(winipc_listener_close(listener));
}

static void a_pipe_that_does_not_wait_says_so(void) {
  static char block[4096];
  char data[8];
  size_t size;
  defaults();
  options.nowait = client_options.nowait = 1;
  options.in_buffer = options.out_buffer = sizeof block;
  open_pair();
  CHECK_STATUS(winipc_receive(server, data, 8, &size, SOON), WINIPC_E_WOULD_BLOCK);
  CHECK_OK(winipc_send(client, block, sizeof block, SOON));
  CHECK_STATUS(winipc_send(client, block, sizeof block, SOON), WINIPC_E_WOULD_BLOCK);
  CHECK_OK(winipc_receive(server, block, sizeof block, &size, SOON));
  CHECK_EQUAL(size, sizeof block);
  CHECK_OK(winipc_send(client, NULL, 0, SOON));
  CHECK_OK(winipc_connection_close(client));
  client = NULL;
  close_pair();
}

/* How much of the second frame goes is the system's affair: the half of one breaks the
 * connection, none of it does not. */
static void a_frame_is_never_followed_by_half_of_one(void) {
  static char block[3000];
  defaults();
  options.type = WINIPC_PIPE_BYTE;
  options.framing = client_options.framing = WINIPC_FRAMING_U32;
  options.nowait = client_options.nowait = 1;
  options.in_buffer = options.out_buffer = 4096;
  open_pair();
  CHECK_OK(winipc_send(client, block, sizeof block, SOON));
  winipc_status status = winipc_send(client, block, sizeof block, SOON);
  CHECK(status == WINIPC_E_INCOMPLETE || status == WINIPC_E_WOULD_BLOCK);
  CHECK_STATUS(winipc_send(client, block, 1, SOON),
               status == WINIPC_E_INCOMPLETE ? WINIPC_E_DISCONNECTED : WINIPC_OK);
  close_pair();
}

static void a_one_way_pipe_that_does_not_wait_says_so(void) {
  char data[8];
  size_t size;
  defaults();
  options.direction = client_options.direction = WINIPC_PIPE_INBOUND;
  options.nowait = 1;
  open_pair();
  CHECK_STATUS(winipc_receive(server, data, 8, &size, SOON), WINIPC_E_WOULD_BLOCK);
  CHECK_OK(winipc_send(client, "x", 1, SOON));
  CHECK_OK(winipc_receive(server, data, 8, &size, SOON));
  close_pair();
}

static void the_server_must_be_the_right_user(void) {
  winipc_connection *none;
  const char *address = harness_name("pipe:", "user");
  defaults();
  CHECK_OK(winipc_pipe_listen(address, &options, &listener));
  client_options.server_user = "S-1-5-18";
  CHECK_STATUS(winipc_pipe_connect(address, &client_options, SOON, &none),
               WINIPC_E_WRONG_PEER);
  CHECK_OK(winipc_accept(listener, SOON, &server)); /* who came, and went again */
  CHECK_OK(winipc_connection_close(server));
  client_options.server_user = "self";
  CHECK_OK(winipc_pipe_connect(address, &client_options, SOON, &client));
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

static void must_exist_does_not_wait(void) {
  winipc_connection *none;
  defaults();
  client_options.must_exist = 1;
  CHECK_STATUS(
      winipc_pipe_connect("pipe:is-not-there", &client_options, WINIPC_FOREVER, &none),
      WINIPC_E_NOT_FOUND);
}

static DWORD WINAPI listen_later(void *address) {
  Sleep(100);
  CHECK_OK(winipc_listen(address, NULL, &listener));
  return 0;
}

static void a_client_may_come_before_its_server(void) {
  const char *address = harness_name("pipe:", "later");
  HANDLE thread =
      CreateThread(NULL, 0, listen_later, (void *)(uintptr_t)address, 0, NULL);
  CHECK_OK(winipc_connect(address, NULL, SOON, &client));
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

static void the_full_path_is_an_address_too(void) {
  const char *path = harness_name("\\\\.\\pipe\\", "path");
  CHECK_OK(winipc_listen(path, NULL, &listener));
  char address[128];
  snprintf(address, sizeof address, "pipe:%s", path + strlen("\\\\.\\pipe\\"));
  CHECK_OK(winipc_connect(address, NULL, SOON, &client));
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_listener_close(listener));
}

static void pipes_are_listed_where_the_system_can(void) {
  char *names;
  uint32_t count;
  int32_t exists;
  const char *address = harness_name("pipe:", "listed");
  CHECK_OK(winipc_listen(address, NULL, &listener));
  if (winipc_has("pipe.list")) {
    CHECK_OK(winipc_pipe_list(&names, &count));
    CHECK(count > 0);
    winipc_free(names);
    CHECK_OK(winipc_pipe_exists(address, &exists));
    CHECK_EQUAL(exists, 1);
    CHECK_OK(winipc_pipe_exists("pipe:this-one-is-not-there", &exists));
    CHECK_EQUAL(exists, 0);
  } else {
    printf("skipped: this system cannot list pipes\n");
    CHECK_STATUS(winipc_pipe_list(&names, &count), WINIPC_E_UNSUPPORTED);
    CHECK_STATUS(winipc_pipe_exists(address, &exists), WINIPC_E_UNSUPPORTED);
  }
  CHECK_OK(winipc_listener_close(listener));
}

static void handles_are_lent_adopted_and_given_away(void) {
  void *handle, *detached;
  char data[8];
  size_t size;
  defaults();
  open_pair();
  CHECK_OK(winipc_native_handle(client, &handle));
  CHECK_OK(winipc_connection_detach(client, &detached));
  CHECK(handle == detached);
  CHECK_STATUS(winipc_send(client, "x", 1, 0), WINIPC_E_INVALID_HANDLE);
  CHECK_OK(winipc_connection_from_handle(detached, NULL, &client));
  CHECK_EQUAL(framing_of(client), WINIPC_FRAMING_MESSAGE);
  CHECK_OK(winipc_send(client, "adopted", 7, SOON));
  CHECK_OK(winipc_receive(server, data, 8, &size, SOON));
  CHECK_EQUAL(size, 7);
  close_pair();
}

static void only_live_handles_are_adopted(void) {
  winipc_connection *none;
  CHECK_STATUS(winipc_connection_from_handle(NULL, NULL, &none),
               WINIPC_E_INVALID_HANDLE);
  CHECK_STATUS(winipc_connection_from_handle((void *)(intptr_t)0x7777770, NULL, &none),
               WINIPC_E_INVALID_HANDLE);
}

static void detach_is_refused_while_bytes_wait(void) {
  void *handle;
  char data[2];
  size_t size;
  defaults();
  open_pair();
  CHECK_OK(winipc_send(client, "0123456789", 10, SOON));
  CHECK_STATUS(winipc_receive(server, data, 2, &size, SOON),
               WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_STATUS(winipc_connection_detach(server, &handle), WINIPC_E_BUSY);
  CHECK(handle == NULL);
  close_pair();
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(the_defaults_are_the_safe_ones),
      TEST(the_default_lets_the_current_user_in_and_nobody_else),
      TEST(an_sddl_string_overrides_the_preset),
      TEST(a_pipe_can_be_of_byte_type),
      TEST(a_message_pipe_can_be_read_as_bytes),
      TEST(the_framing_message_needs_a_message_pipe),
      TEST(one_way_pipes_go_one_way),
      TEST(buffers_limits_and_inheritance_reach_the_system),
      TEST(the_name_must_be_free_unless_one_joins),
      TEST(a_pipe_that_does_not_wait_says_so),
      TEST(a_frame_is_never_followed_by_half_of_one),
      TEST(a_one_way_pipe_that_does_not_wait_says_so),
      TEST(the_server_must_be_the_right_user),
      TEST(must_exist_does_not_wait),
      TEST(a_client_may_come_before_its_server),
      TEST(the_full_path_is_an_address_too),
      TEST(pipes_are_listed_where_the_system_can),
      TEST(handles_are_lent_adopted_and_given_away),
      TEST(only_live_handles_are_adopted),
      TEST(detach_is_refused_while_bytes_wait),
      END,
  };
  return harness_main(argc, argv, tests);
}
