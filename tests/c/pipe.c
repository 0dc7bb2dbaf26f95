/* Named pipes through the five verbs. */
#include "harness.h"

static winipc_connection *client, *server;
static winipc_listener *listener;

static void open_pair(const winipc_pipe_options *options,
                      const winipc_pipe_client_options *client_options) {
  const char *address = harness_name("pipe:", "pair");
  CHECK_OK(winipc_pipe_listen(address, options, &listener));
  CHECK_OK(winipc_pipe_connect(address, client_options, SOON, &client));
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
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(client, "hello", 5, SOON));
  CHECK_OK(winipc_send(client, "again", 5, SOON));
  check_received(server, "hello");
  check_received(server, "again");
  CHECK_OK(winipc_send(server, "reply", 5, SOON));
  check_received(client, "reply");
  close_pair();
}

static void a_message_of_zero_bytes_is_a_message(void) {
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(client, NULL, 0, SOON));
  CHECK_OK(winipc_send(client, "x", 1, SOON));
  check_received(server, "");
  check_received(server, "x");
  close_pair();
}

static void too_small_a_buffer_keeps_the_message(void) {
  char small[3], large[64];
  size_t size;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(client, "0123456789", 10, SOON));
  CHECK_OK(winipc_send(client, "next", 4, SOON));
  CHECK_STATUS(winipc_receive(server, small, sizeof small, &size, SOON),
               WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_EQUAL(size, 10);
  CHECK_STATUS(winipc_receive(server, small, sizeof small, &size, SOON),
               WINIPC_E_MESSAGE_TOO_LARGE);
  CHECK_EQUAL(size, 10);
  CHECK_OK(winipc_receive(server, large, sizeof large, &size, SOON));
  CHECK_EQUAL(size, 10);
  CHECK(!memcmp(large, "0123456789", 10));
  check_received(server, "next");
  close_pair();
}

static void a_message_can_be_received_in_parts(void) {
  char part[4];
  size_t size;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(client, "0123456789", 10, SOON));
  CHECK_STATUS(winipc_receive_part(server, part, 4, &size, SOON), WINIPC_MORE);
  CHECK_EQUAL(size, 4);
  CHECK_STATUS(winipc_receive_part(server, part, 4, &size, SOON), WINIPC_MORE);
  CHECK(!memcmp(part, "4567", 4));
  CHECK_OK(winipc_receive_part(server, part, 4, &size, SOON));
  CHECK_EQUAL(size, 2);
  close_pair();
}

static void a_message_of_unknown_size_is_received_in_one_call(void) {
  enum { SIZE = 300000 };
  char *sent = malloc(SIZE), *received;
  size_t size;
  for (int i = 0; i < SIZE; i++) sent[i] = (char)(i * 7);
  winipc_pipe_options options;
  winipc_pipe_options_init(&options);
  options.in_buffer = SIZE;
  open_pair(&options, NULL);
  CHECK_OK(winipc_send(client, sent, SIZE, SOON));
  CHECK_OK(winipc_receive_alloc(server, (void **)&received, &size, SOON));
  CHECK_EQUAL(size, SIZE);
  CHECK(!memcmp(sent, received, SIZE));
  CHECK_EQUAL(received[SIZE], 0);
  winipc_free(received);
  free(sent);
  close_pair();
}

static void time_outs_lose_nothing(void) {
  char buffer[16];
  size_t size;
  open_pair(NULL, NULL);
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, WINIPC_NO_WAIT),
               WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, 30), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_send(client, "late", 4, SOON));
  check_received(server, "late");
  CHECK_STATUS(winipc_accept(listener, 10, &(winipc_connection *){NULL}),
               WINIPC_E_TIMEOUT);
  close_pair();
}

static void what_was_sent_arrives_after_the_close(void) {
  char buffer[16];
  size_t size;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(client, "last words", 10, SOON));
  CHECK_OK(winipc_connection_close(client));
  client = NULL;
  check_received(server, "last words");
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, SOON), WINIPC_E_DISCONNECTED);
  CHECK_STATUS(winipc_send(server, "x", 1, SOON), WINIPC_E_DISCONNECTED);
  close_pair();
}

static void a_full_pipe_times_the_sender_out(void) {
  static char block[4096];
  winipc_pipe_options options;
  winipc_pipe_options_init(&options);
  options.in_buffer = options.out_buffer = sizeof block;
  open_pair(&options, NULL);
  CHECK_OK(winipc_send(client, block, sizeof block, SOON));
  CHECK_STATUS(winipc_send(client, block, sizeof block, 30), WINIPC_E_TIMEOUT);
  size_t size;
  CHECK_OK(winipc_receive(server, block, sizeof block, &size, SOON));
  CHECK_OK(winipc_send(client, "after", 5, SOON));
  check_received(server, "after");
  close_pair();
}

static void framings_carry_messages_over_a_byte_pipe(void) {
  winipc_pipe_options options;
  winipc_pipe_client_options client_options;
  for (uint32_t framing = WINIPC_FRAMING_U32; framing <= WINIPC_FRAMING_LINE;
       framing++) {
    winipc_pipe_options_init(&options);
    winipc_pipe_client_options_init(&client_options);
    options.type = WINIPC_PIPE_BYTE;
    options.framing = client_options.framing = framing;
    open_pair(&options, &client_options);
    CHECK_OK(winipc_send(client, "one", 3, SOON));
    CHECK_OK(winipc_send(client, "", 0, SOON));
    CHECK_OK(winipc_send_parts(client, (winipc_part[]){{"tw", 2}, {NULL, 0}, {"o", 1}},
                               3, SOON));
    check_received(server, "one");
    check_received(server, "");
    check_received(server, "two");
    close_pair();
  }
}

static DWORD WINAPI cancel_soon(void *object) {
  Sleep(50);
  winipc_cancel(object);
  return 0;
}

static DWORD WINAPI close_soon(void *object) {
  Sleep(50);
  winipc_connection_close(object);
  return 0;
}

static void cancel_ends_a_blocked_call(void) {
  char buffer[16];
  size_t size;
  open_pair(NULL, NULL);
  HANDLE thread = CreateThread(NULL, 0, cancel_soon, server, 0, NULL);
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, WINIPC_FOREVER),
               WINIPC_E_CANCELLED);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  CHECK_OK(winipc_send(client, "still", 5, SOON));
  check_received(server, "still");
  close_pair();
}

static void close_ends_a_blocked_call(void) {
  char buffer[16];
  size_t size;
  open_pair(NULL, NULL);
  HANDLE thread = CreateThread(NULL, 0, close_soon, server, 0, NULL);
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, WINIPC_FOREVER),
               WINIPC_E_CLOSED);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, 0), WINIPC_E_INVALID_HANDLE);
  server = NULL;
  close_pair();
}

static void a_cancel_token_is_sticky(void) {
  char buffer[16];
  size_t size;
  winipc_cancel_token *token;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_cancel_create(&token));
  CHECK_OK(winipc_cancel_use(token));
  CHECK_OK(winipc_cancel_fire(token));
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, WINIPC_FOREVER),
               WINIPC_E_CANCELLED);
  CHECK_OK(winipc_send(client, "data", 4, SOON));
  check_received(server, "data");
  CHECK_OK(winipc_cancel_reset(token));
  CHECK_STATUS(winipc_receive(server, buffer, 16, &size, 10), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_cancel_use(NULL));
  CHECK_OK(winipc_cancel_close(token));
  close_pair();
}

static DWORD WINAPI receive_with_token(void *token) {
  char buffer[16];
  size_t size;
  CHECK_OK(winipc_cancel_use(token));
  CHECK_OK(winipc_receive(server, buffer, sizeof buffer, &size, WINIPC_FOREVER));
  return 0;
}

static void closing_a_token_does_not_wait_for_who_heeds_it(void) {
  winipc_cancel_token *token;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_cancel_create(&token));
  HANDLE reader = CreateThread(NULL, 0, receive_with_token, token, 0, NULL);
  CHECK_EQUAL(WaitForSingleObject(reader, 100), WAIT_TIMEOUT);
  CHECK_OK(winipc_cancel_close(token));
  CHECK_EQUAL(WaitForSingleObject(reader, 50), WAIT_TIMEOUT);
  CHECK_OK(winipc_send(client, "data", 4, SOON));
  CHECK_EQUAL(WaitForSingleObject(reader, SOON), WAIT_OBJECT_0);
  CloseHandle(reader);
  close_pair();
}

static void transact_tells_that_the_peer_has_gone(void) {
  char reply[16];
  size_t size;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_connection_close(server));
  CHECK_STATUS(winipc_transact(client, "ping", 4, reply, sizeof reply, &size, SOON),
               WINIPC_E_DISCONNECTED);
  server = NULL;
  close_pair();
}

static void transact_is_a_request_and_its_reply(void) {
  char reply[16];
  size_t size;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(server, "early", 5, SOON));
  check_received(client, "early");
  CHECK_STATUS(winipc_transact(client, "ping", 4, reply, sizeof reply, &size, 20),
               WINIPC_E_TIMEOUT);
  check_received(server, "ping");
  CHECK_OK(winipc_send(server, "pong", 4, SOON));
  check_received(client, "pong");
  close_pair();
}

static void peek_looks_and_takes_nothing(void) {
  char buffer[8] = "";
  winipc_peek_info info = {.size = sizeof info};
  open_pair(NULL, NULL);
  CHECK_OK(winipc_peek(server, NULL, 0, &info));
  CHECK_EQUAL(info.waiting, 0);
  CHECK_OK(winipc_send(client, "0123456789", 10, SOON));
  CHECK_OK(winipc_send(client, "more", 4, SOON));
  CHECK_OK(winipc_peek(server, buffer, 4, &info));
  CHECK_EQUAL(info.waiting, 1);
  CHECK_EQUAL(info.copied, 4);
  CHECK_EQUAL(info.message, 10);
  CHECK_EQUAL(info.available, 14);
  check_received(server, "0123456789");
  check_received(server, "more");
  close_pair();
}

static void drain_waits_for_the_reader(void) {
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(client, "unread", 6, SOON));
  CHECK_STATUS(winipc_drain(client, 50), WINIPC_E_TIMEOUT);
  CHECK_STATUS(winipc_drain(client, WINIPC_NO_WAIT), WINIPC_E_TIMEOUT);
  check_received(server, "unread");
  CHECK_OK(winipc_drain(client, SOON));
  CHECK_OK(winipc_drain(client, WINIPC_NO_WAIT));
  close_pair();
}

static void abort_disconnects_both_ends(void) {
  char buffer[8];
  size_t size;
  open_pair(NULL, NULL);
  CHECK_OK(winipc_send(server, "lost", 4, SOON));
  CHECK_OK(winipc_connection_abort(server));
  CHECK_STATUS(winipc_receive(client, buffer, 8, &size, SOON), WINIPC_E_DISCONNECTED);
  CHECK_STATUS(winipc_receive(server, buffer, 8, &size, SOON), WINIPC_E_DISCONNECTED);
  close_pair();
}

static void the_peer_is_known(void) {
  winipc_peer peer = {.size = sizeof peer};
  open_pair(NULL, NULL);
  CHECK_OK(winipc_connection_peer(server, &peer));
  CHECK_EQUAL(peer.pid, GetCurrentProcessId());
  CHECK(!strncmp(peer.user, "S-1-", 4));
  CHECK_OK(winipc_connection_peer(client, &peer));
  CHECK_EQUAL(peer.pid, GetCurrentProcessId());
  close_pair();
}

static void a_limited_listener_serves_one_after_the_other(void) {
  winipc_pipe_options options;
  const char *address = harness_name("pipe:", "limited");
  winipc_connection *second, *third;
  winipc_pipe_options_init(&options);
  options.max_instances = 1;
  CHECK_OK(winipc_pipe_listen(address, &options, &listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &client));
  CHECK_OK(winipc_accept(listener, SOON, &server));
  CHECK_STATUS(winipc_connect(address, NULL, 30, &second), WINIPC_E_BUSY);
  CHECK_STATUS(winipc_accept(listener, 10, &third), WINIPC_E_TIMEOUT);
  CHECK_OK(winipc_connection_close(server));
  CHECK_OK(winipc_connect(address, NULL, SOON, &second));
  CHECK_OK(winipc_accept(listener, SOON, &third));
  CHECK_OK(winipc_connection_close(second));
  CHECK_OK(winipc_connection_close(third));
  server = NULL;
  close_pair();
}

static void a_client_that_left_is_still_accepted(void) {
  const char *address = harness_name("pipe:", "left");
  CHECK_OK(winipc_listen(address, NULL, &listener));
  CHECK_OK(winipc_connect(address, NULL, SOON, &client));
  CHECK_OK(winipc_send(client, "bye", 3, SOON));
  CHECK_OK(winipc_connection_close(client));
  CHECK_OK(winipc_accept(listener, SOON, &server));
  check_received(server, "bye");
  client = NULL;
  close_pair();
}

static void no_server_is_not_found(void) {
  winipc_connection *none;
  CHECK_STATUS(winipc_connect("pipe:no-such-pipe-here", NULL, 20, &none),
               WINIPC_E_NOT_FOUND);
  CHECK(!none);
}

int main(int argc, char **argv) {
  static const test tests[] = {
      TEST(messages_go_both_ways_whole),
      TEST(a_message_of_zero_bytes_is_a_message),
      TEST(too_small_a_buffer_keeps_the_message),
      TEST(a_message_can_be_received_in_parts),
      TEST(a_message_of_unknown_size_is_received_in_one_call),
      TEST(time_outs_lose_nothing),
      TEST(what_was_sent_arrives_after_the_close),
      TEST(a_full_pipe_times_the_sender_out),
      TEST(framings_carry_messages_over_a_byte_pipe),
      TEST(cancel_ends_a_blocked_call),
      TEST(close_ends_a_blocked_call),
      TEST(a_cancel_token_is_sticky),
      TEST(closing_a_token_does_not_wait_for_who_heeds_it),
      TEST(transact_is_a_request_and_its_reply),
      TEST(transact_tells_that_the_peer_has_gone),
      TEST(peek_looks_and_takes_nothing),
      TEST(drain_waits_for_the_reader),
      TEST(abort_disconnects_both_ends),
      TEST(the_peer_is_known),
      TEST(a_limited_listener_serves_one_after_the_other),
      TEST(a_client_that_left_is_still_accepted),
      TEST(no_server_is_not_found),
      END,
  };
  return harness_main(argc, argv, tests);
}
