/* ZeroMQ over TCP on the loopback: a pair; push and pull for many writers; for many
 * readers a publisher that waits for slow ones instead of dropping what they miss. */
#include "harness.h"

#include <zmq.h>

typedef struct line {
  void *context, *socket;
  zmq_msg_t message; /* lent to the caller */
} line;

static void must(int result, const char *call) {
  if (result < 0) broken("%s: %s", call, zmq_strerror(zmq_errno()));
}

static int kind(const job *j) {
  if (!strcmp(j->mode, "fan_in")) return j->serves ? ZMQ_PULL : ZMQ_PUSH;
  if (!strcmp(j->mode, "fan_out")) return j->serves ? ZMQ_XPUB : ZMQ_SUB;
  return ZMQ_PAIR;
}

static line *new_line(const job *j) {
  int yes = 1, type = kind(j);
  line *l = calloc(1, sizeof *l);
  l->context = zmq_ctx_new();
  l->socket = zmq_socket(l->context, type);
  if (!l->socket) must(-1, "zmq_socket");
  if (type == ZMQ_XPUB) {
    must(zmq_setsockopt(l->socket, ZMQ_XPUB_NODROP, &yes, sizeof yes), "XPUB_NODROP");
    must(zmq_setsockopt(l->socket, ZMQ_XPUB_VERBOSE, &yes, sizeof yes), "VERBOSE");
  }
  if (type == ZMQ_SUB)
    must(zmq_setsockopt(l->socket, ZMQ_SUBSCRIBE, "", 0), "ZMQ_SUBSCRIBE");
  must(zmq_msg_init(&l->message), "zmq_msg_init");
  return l;
}

static void *serve(const job *j) {
  line *l = new_line(j);
  size_t size = sizeof peer_address;
  must(zmq_bind(l->socket, "tcp://127.0.0.1:*"), "zmq_bind");
  must(zmq_getsockopt(l->socket, ZMQ_LAST_ENDPOINT, peer_address, &size), "endpoint");
  return l;
}

/* A publisher waits for its subscribers: each makes itself known by a message. */
static void *accept_all(void *server, const job *j) {
  line *l = server;
  for (int i = 0; kind(j) == ZMQ_XPUB && i < j->clients; i++)
    must(zmq_msg_recv(&l->message, l->socket, 0), "zmq_msg_recv");
  return l;
}

static void *join(const job *j) {
  line *l = new_line(j);
  must(zmq_connect(l->socket, j->name), "zmq_connect");
  return l;
}

static void send_message(void *link, const void *data, uint32_t size) {
  must(zmq_send(((line *)link)->socket, data, size, 0), "zmq_send");
}

static const void *receive_message(void *link, uint32_t size) {
  line *l = link;
  must(zmq_msg_recv(&l->message, l->socket, 0), "zmq_msg_recv");
  if (zmq_msg_size(&l->message) != size) broken("a message of another size");
  return zmq_msg_data(&l->message);
}

static const peer peers[] = {{.name = "zeromq",
                              .shared = SHARED_FAN_IN | SHARED_FAN_OUT,
                              .serve = serve,
                              .accept = accept_all,
                              .join = join,
                              .send = send_message,
                              .receive = receive_message}};

int main(int words, char **arguments) {
  return harness_main(peers, 1, words, arguments);
}
