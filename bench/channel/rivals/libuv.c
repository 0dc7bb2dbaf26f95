/* libuv: a named pipe and a loop in each process, as its own streams do it. A send is
 * a uv_write with a copy of the message, and up to so many may be under way; a receive
 * turns the loop until the message is whole. */
#include "harness.h"

#include <uv.h>

enum { MOST_PENDING = 64 };

typedef struct line {
  uv_loop_t loop;
  uv_pipe_t listener, pipe;
  bool connected;
  int pending;
  char *bytes; /* what has arrived */
  size_t size, room;
  size_t lent; /* of it: the message that the caller has */
} line;

typedef struct request {
  uv_write_t write;
  line *owner;
  char bytes[];
} request;

static void must(int status, const char *call) {
  if (status < 0) broken("%s: %s", call, uv_strerror(status));
}

static const char *path(const job *j) {
  static char text[128];
  snprintf(text, sizeof text, "\\\\.\\pipe\\%s", j->name);
  return text;
}

static line *new_line(const job *j) {
  line *l = calloc(1, sizeof *l);
  l->room = 2 * (size_t)j->size + 65536;
  l->bytes = malloc(l->room);
  must(uv_loop_init(&l->loop), "uv_loop_init");
  must(uv_pipe_init(&l->loop, &l->pipe, 0), "uv_pipe_init");
  l->pipe.data = l;
  return l;
}

/* ---- reading ---- */

static void lend_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  line *l = handle->data;
  (void)suggested;
  *buffer = uv_buf_init(l->bytes + l->size, (unsigned)(l->room - l->size));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  line *l = stream->data;
  (void)buffer;
  if (count == UV_ENOBUFS) return;
  must((int)count, "uv_read");
  l->size += (size_t)count;
}

static void start_reading(line *l) {
  must(uv_read_start((uv_stream_t *)&l->pipe, lend_room, on_read), "uv_read_start");
}

static const void *receive_message(void *link, uint32_t size) {
  line *l = link;
  l->size -= l->lent;
  memmove(l->bytes, l->bytes + l->lent, l->size);
  for (l->lent = 0; l->size < size;) uv_run(&l->loop, UV_RUN_ONCE);
  l->lent = size;
  return l->bytes;
}

/* ---- writing ---- */

static void on_written(uv_write_t *write, int status) {
  request *r = write->data;
  must(status, "uv_write");
  r->owner->pending--;
  free(r);
}

static void flush(void *link) {
  line *l = link;
  while (l->pending) uv_run(&l->loop, UV_RUN_ONCE);
}

static void send_message(void *link, const void *data, uint32_t size) {
  line *l = link;
  request *r = malloc(sizeof *r + size);
  uv_buf_t buffer = uv_buf_init(r->bytes, size);
  r->owner = l;
  r->write.data = r;
  memcpy(r->bytes, data, size);
  l->pending++;
  must(uv_write(&r->write, (uv_stream_t *)&l->pipe, &buffer, 1, on_written),
       "uv_write");
  uv_run(&l->loop, UV_RUN_NOWAIT);
  while (l->pending * (uint64_t)size > (uint64_t)MOST_PENDING * 65536 ||
         l->pending > MOST_PENDING)
    uv_run(&l->loop, UV_RUN_ONCE);
}

/* ---- meeting ---- */

static void on_connection(uv_stream_t *listener, int status) {
  line *l = listener->data;
  must(status, "uv_listen");
  must(uv_accept(listener, (uv_stream_t *)&l->pipe), "uv_accept");
  l->connected = true;
}

static void *serve(const job *j) {
  line *l = new_line(j);
  must(uv_pipe_init(&l->loop, &l->listener, 0), "uv_pipe_init");
  l->listener.data = l;
  must(uv_pipe_bind(&l->listener, path(j)), "uv_pipe_bind");
  must(uv_listen((uv_stream_t *)&l->listener, 1, on_connection), "uv_listen");
  return l;
}

static void *accept_one(void *server, const job *j) {
  line *l = server;
  (void)j;
  while (!l->connected) uv_run(&l->loop, UV_RUN_ONCE);
  start_reading(l);
  return l;
}

static void on_connect(uv_connect_t *connect, int status) {
  must(status, "uv_pipe_connect");
  ((line *)connect->data)->connected = true;
}

static void *join(const job *j) {
  uv_connect_t connect;
  line *l = new_line(j);
  connect.data = l;
  uv_pipe_connect(&connect, &l->pipe, path(j), on_connect);
  while (!l->connected) uv_run(&l->loop, UV_RUN_ONCE);
  start_reading(l);
  return l;
}

static const peer peers[] = {{.name = "libuv",
                              .serve = serve,
                              .accept = accept_one,
                              .join = join,
                              .send = send_message,
                              .receive = receive_message,
                              .flush = flush}};

int main(int words, char **arguments) {
  return harness_main(peers, 1, words, arguments);
}
