/* Channels of two: the five verbs, long messages, loans, what a peer's end means. */
#include "child.h"
#include "harness.h"

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
      CHILD(child_echo),
      CHILD(child_sends_and_dies),
      END,
  };
  return harness_main(argc, argv, tests);
}
