/* nng over its named pipes: a pair; for many writers push and pull. Its publisher drops
 * messages for a slow subscriber by design, and so has no row here. */
#include "harness.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>

typedef struct line {
  nng_socket socket;
  void *message; /* lent to the caller */
  size_t size;
} line;

static void must(int error, const char *call) {
  if (error) broken("%s: %s", call, nng_strerror(error));
}

static bool fans_in(const job *j) {
  return !strcmp(j->mode, "fan_in");
}

static const char *url(const job *j) {
  static char text[128];
  snprintf(text, sizeof text, "ipc://%s", j->name);
  return text;
}

static line *new_line(const job *j) {
  line *l = calloc(1, sizeof *l);
  if (!fans_in(j))
    must(nng_pair0_open(&l->socket), "nng_pair0_open");
  else if (j->serves)
    must(nng_pull0_open(&l->socket), "nng_pull0_open");
  else
    must(nng_push0_open(&l->socket), "nng_push0_open");
  must(nng_socket_set_size(l->socket, NNG_OPT_RECVMAXSZ, 0), "NNG_OPT_RECVMAXSZ");
  return l;
}

static void *serve(const job *j) {
  line *l = new_line(j);
  must(nng_listen(l->socket, url(j), NULL, 0), "nng_listen");
  return l;
}

static void *accept_one(void *server, const job *j) {
  (void)j;
  return server;
}

static void *join(const job *j) {
  line *l = new_line(j);
  must(nng_dial(l->socket, url(j), NULL, 0), "nng_dial");
  return l;
}

static void send_message(void *link, const void *data, uint32_t size) {
  must(nng_send(((line *)link)->socket, (void *)data, size, 0), "nng_send");
}

static const void *receive_message(void *link, uint32_t size) {
  line *l = link;
  if (l->message) nng_free(l->message, l->size);
  must(nng_recv(l->socket, &l->message, &l->size, NNG_FLAG_ALLOC), "nng_recv");
  if (l->size != size) broken("a message of %u bytes", (unsigned)l->size);
  return l->message;
}

static const peer peers[] = {{.name = "nng",
                              .shared = SHARED_FAN_IN,
                              .serve = serve,
                              .accept = accept_one,
                              .join = join,
                              .send = send_message,
                              .receive = receive_message}};

int main(int words, char **arguments) {
  return harness_main(peers, 1, words, arguments);
}
