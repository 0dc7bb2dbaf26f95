/* Named pipes through winipc.dll against the same by bare overlapped calls.
 *
 *   pipe_bench [--a bare|DLL] [--b bare|DLL] [--only TEXT] [--seconds S] [--json]
 *
 * Two processes; the second one serves. Each contestant has a message pipe and a byte
 * pipe between them, with the same sizes and modes. The bare one does what a careful
 * program does by hand: ReadFile or WriteFile, and when it is pending
 * WaitForSingleObject with a time-out and GetOverlappedResult. `--a DLL --b DLL`
 * compares two builds of winipc, `--b bare` the bare calls with themselves: what
 * differs then is noise.
 *
 * Each message carries its number in its first and last eight bytes, which the reader
 * checks. Round trip: the median of the block. One way: the time of the block, through
 * to the answer to its last message, divided by the messages. */
#include "bench.h"

#include "winipc.h"

enum { MESSAGE, BYTE_STREAM, KINDS, CONTROL = KINDS, LINES };
enum { ROUND_TRIP, ONE_WAY, WAYS };
enum { BUFFER = 65536, LARGEST = 1 << 20, MOST_MESSAGES = 1 << 16 };

/* A stream has to fill the pipe; a round trip does not, and short blocks make good
 * pairs. */
static const double block_us[WAYS] = {4000, 20000};

static const char *const kind_names[LINES] = {"message pipe", "byte pipe", "control"};
static const char *const way_names[WAYS] = {"round trip", "one way"};

/* One end of one pipe. */
typedef struct line {
  HANDLE pipe, read_done, write_done; /* bare */
  winipc_connection *connection;      /* winipc */
} line;

typedef struct contestant {
  void (*serve)(struct contestant *self, const char *name, int kind, line *l);
  void (*join)(struct contestant *self, const char *name, int kind, line *l);
  void (*send)(struct contestant *self, line *l, const void *data, uint32_t size);
  uint32_t (*receive)(struct contestant *self, line *l, void *data, uint32_t size);
  line lines[LINES];
  /* winipc */
  __typeof__(&winipc_pipe_options_init) pipe_options_init;
  __typeof__(&winipc_pipe_listen) pipe_listen;
  __typeof__(&winipc_accept) accept;
  __typeof__(&winipc_listener_close) listener_close;
  __typeof__(&winipc_connect) connect;
  __typeof__(&winipc_send) winipc_send;
  __typeof__(&winipc_receive) winipc_receive;
} contestant;

/* ---- bare ---- */

static DWORD bare_finish(HANDLE pipe, BOOL done, OVERLAPPED *overlapped) {
  DWORD bytes;
  if (!done && GetLastError() != ERROR_IO_PENDING) die("ReadFile or WriteFile");
  if (!done && WaitForSingleObject(overlapped->hEvent, PATIENCE) != WAIT_OBJECT_0)
    die("no answer");
  if (!GetOverlappedResult(pipe, overlapped, &bytes, FALSE)) die("GetOverlappedResult");
  return bytes;
}

static void bare_send(contestant *self, line *l, const void *data, uint32_t size) {
  OVERLAPPED overlapped = {.hEvent = l->write_done};
  (void)self;
  BOOL done = WriteFile(l->pipe, data, size, NULL, &overlapped);
  if (bare_finish(l->pipe, done, &overlapped) != size) die("a short write");
}

static uint32_t bare_receive(contestant *self, line *l, void *data, uint32_t size) {
  OVERLAPPED overlapped = {.hEvent = l->read_done};
  (void)self;
  BOOL done = ReadFile(l->pipe, data, size, NULL, &overlapped);
  return bare_finish(l->pipe, done, &overlapped);
}

static void bare_open(line *l, HANDLE pipe) {
  l->pipe = pipe;
  l->read_done = CreateEventW(NULL, TRUE, FALSE, NULL);
  l->write_done = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (pipe == INVALID_HANDLE_VALUE || !l->read_done || !l->write_done) die("no pipe");
}

static void bare_serve(contestant *self, const char *name, int kind, line *l) {
  DWORD type =
      kind == BYTE_STREAM ? PIPE_TYPE_BYTE : PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE;
  (void)self;
  bare_open(l, CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                type | PIPE_REJECT_REMOTE_CLIENTS, 2, BUFFER, BUFFER, 0,
                                NULL));
  OVERLAPPED overlapped = {.hEvent = l->read_done};
  if (!ConnectNamedPipe(l->pipe, &overlapped) && GetLastError() == ERROR_IO_PENDING)
    bare_finish(l->pipe, FALSE, &overlapped);
}

static void bare_join(contestant *self, const char *name, int kind, line *l) {
  HANDLE pipe = INVALID_HANDLE_VALUE;
  DWORD mode = PIPE_READMODE_MESSAGE;
  (void)self;
  for (int i = 0; i < PATIENCE && pipe == INVALID_HANDLE_VALUE; i += 5) {
    pipe = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED, NULL);
    if (pipe == INVALID_HANDLE_VALUE) Sleep(5);
  }
  bare_open(l, pipe);
  if (kind != BYTE_STREAM && !SetNamedPipeHandleState(pipe, &mode, NULL, NULL))
    die("SetNamedPipeHandleState");
}

/* ---- winipc ---- */

static void winipc_serve_line(contestant *self, const char *name, int kind, line *l) {
  winipc_listener *listener;
  winipc_pipe_options options;
  self->pipe_options_init(&options);
  options.type = kind == BYTE_STREAM ? WINIPC_PIPE_BYTE : WINIPC_PIPE_MESSAGE;
  options.in_buffer = options.out_buffer = BUFFER;
  if (self->pipe_listen(name, &options, &listener) ||
      self->accept(listener, PATIENCE, &l->connection) ||
      self->listener_close(listener))
    die("winipc: no connection");
}

static void winipc_join_line(contestant *self, const char *name, int kind, line *l) {
  (void)kind;
  if (self->connect(name, NULL, PATIENCE, &l->connection)) die("winipc_connect");
}

static void winipc_send_line(contestant *self, line *l, const void *data,
                             uint32_t size) {
  if (self->winipc_send(l->connection, data, size, PATIENCE)) die("winipc_send");
}

static uint32_t winipc_receive_line(contestant *self, line *l, void *data,
                                    uint32_t size) {
  size_t got;
  if (self->winipc_receive(l->connection, data, size, &got, PATIENCE))
    die("winipc_receive");
  return (uint32_t)got;
}

/* ---- contestants ---- */

#define LOAD(dll, member, function) \
  (self->member =                   \
       (__typeof__(self->member))(void (*)(void))GetProcAddress(dll, function))

static void load(contestant *self, const char *path) {
  HMODULE dll = LoadLibraryA(path);
  if (!dll || !LOAD(dll, pipe_options_init, "winipc_pipe_options_init") ||
      !LOAD(dll, pipe_listen, "winipc_pipe_listen") ||
      !LOAD(dll, accept, "winipc_accept") ||
      !LOAD(dll, listener_close, "winipc_listener_close") ||
      !LOAD(dll, connect, "winipc_connect") || !LOAD(dll, winipc_send, "winipc_send") ||
      !LOAD(dll, winipc_receive, "winipc_receive"))
    die("%s", path);
  self->serve = winipc_serve_line;
  self->join = winipc_join_line;
  self->send = winipc_send_line;
  self->receive = winipc_receive_line;
}

static void prepare(contestant *self, const char *what) {
  *self = (contestant){.serve = bare_serve,
                       .join = bare_join,
                       .send = bare_send,
                       .receive = bare_receive};
  if (strcmp(what, "bare")) load(self, what);
}

/* The first contestant's control line carries the orders to the server. */
static void open_lines(contestant all[2], const char *name, bool serve) {
  for (int i = 0; i < 2; i++)
    for (int kind = 0; kind < LINES; kind++) {
      char path[128];
      snprintf(path, sizeof path, "\\\\.\\pipe\\%s-%d-%d", name, i, kind);
      (serve ? all[i].serve : all[i].join)(&all[i], path, kind, &all[i].lines[kind]);
    }
}

/* ---- messages ---- */

static char message[LARGEST];

static void number_message(uint64_t number, uint32_t size) {
  memcpy(message, &number, sizeof number);
  memcpy(message + size - sizeof number, &number, sizeof number);
}

static void check_message(uint64_t number, uint32_t size) {
  if (memcmp(message, &number, sizeof number) ||
      memcmp(message + size - sizeof number, &number, sizeof number))
    die("message %llu is not what was sent", (unsigned long long)number);
}

static void receive_whole(contestant *c, line *l, uint32_t size) {
  for (uint32_t got = 0; got < size;)
    got += c->receive(c, l, message + got, size - got);
}

/* ---- blocks ---- */

typedef struct order {
  uint32_t contestant, kind, way, bytes, count; /* a count of 0: leave */
} order;

static void echo_block(contestant *c, const order *o) {
  line *l = &c->lines[o->kind];
  for (uint32_t i = 0; i < o->count; i++) {
    receive_whole(c, l, o->bytes);
    check_message(i, o->bytes);
    c->send(c, l, message, o->bytes);
  }
}

static void drain_block(contestant *c, const order *o) {
  line *l = &c->lines[o->kind];
  for (uint32_t i = 0; i < o->count; i++) {
    receive_whole(c, l, o->bytes);
    check_message(i, o->bytes);
  }
  c->send(c, l, &o->count, sizeof o->count);
}

static int serve(contestant all[2]) {
  line *control = &all[0].lines[CONTROL];
  for (;;) {
    order o;
    if (all[0].receive(&all[0], control, &o, sizeof o) != sizeof o) die("no order");
    all[0].send(&all[0], control, &o, sizeof o);
    if (!o.count) return 0;
    contestant *c = &all[o.contestant];
    o.way == ROUND_TRIP ? echo_block(c, &o) : drain_block(c, &o);
  }
}

static double ping_block(contestant *c, const order *o) {
  static double took[MOST_MESSAGES];
  line *l = &c->lines[o->kind];
  for (uint32_t i = 0; i < o->count; i++) {
    number_message(i, o->bytes);
    double start = now_us();
    c->send(c, l, message, o->bytes);
    receive_whole(c, l, o->bytes);
    took[i] = now_us() - start;
    check_message(i, o->bytes);
  }
  return median(took, (int)o->count);
}

static double stream_block(contestant *c, const order *o) {
  line *l = &c->lines[o->kind];
  uint32_t answer;
  double start = now_us();
  for (uint32_t i = 0; i < o->count; i++) {
    number_message(i, o->bytes);
    c->send(c, l, message, o->bytes);
  }
  if (c->receive(c, l, &answer, sizeof answer) != sizeof answer || answer != o->count)
    die("%u messages arrived of %u", answer, o->count);
  return (now_us() - start) / o->count;
}

static void give_order(contestant all[2], const order *o) {
  order same;
  line *control = &all[0].lines[CONTROL];
  all[0].send(&all[0], control, o, sizeof *o);
  all[0].receive(&all[0], control, &same, sizeof same);
}

static double run_block(contestant all[2], order o, uint32_t who) {
  o.contestant = who;
  give_order(all, &o);
  return o.way == ROUND_TRIP ? ping_block(&all[who], &o) : stream_block(&all[who], &o);
}

/* So many messages that a block takes its time; the first blocks warm up. */
static void calibrate(contestant all[2], order *o) {
  for (o->count = 4; o->count < MOST_MESSAGES; o->count *= 2) {
    double start = now_us();
    run_block(all, *o, 1);
    run_block(all, *o, 0);
    if (now_us() - start >= 2 * block_us[o->way]) return;
  }
}

static void measure(contestant all[2], order o, const settings *s, cell *c) {
  calibrate(all, &o);
  double end = now_us() + s->seconds * 1e6;
  for (c->pairs = 0; c->pairs < BENCH_MOST_PAIRS && now_us() < end; c->pairs++) {
    uint32_t first = c->pairs % 2;
    double *figures[2] = {&c->a[c->pairs], &c->b[c->pairs]};
    *figures[first] = run_block(all, o, first);
    *figures[!first] = run_block(all, o, !first);
  }
}

static void run_cells(contestant all[2], const settings *s) {
  static const uint32_t sizes[] = {64, 4096, 1 << 20};
  static cell c;
  for (uint32_t kind = 0; kind < KINDS; kind++)
    for (uint32_t way = 0; way < WAYS; way++)
      for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        c.kind = kind_names[kind];
        c.way = way_names[way];
        c.bytes = sizes[i];
        if (!is_wanted(s, &c)) continue;
        measure(all, (order){0, kind, way, sizes[i], 0}, s, &c);
        s->json ? print_json(&c) : print_summary(&c);
        fflush(stdout);
      }
}

int main(int count, char **arguments) {
  static contestant all[2];
  char name[64];
  bool server = count > 2 && !strcmp(arguments[1], "serve");
  int skip = server ? 3 : 1;
  settings s = read_settings(count - skip, arguments + skip);
  for (int i = 0; i < 2; i++) prepare(&all[i], s.contestants[i]);
  if (server) {
    open_lines(all, arguments[2], true);
    return serve(all);
  }
  snprintf(name, sizeof name, "winipc-bench-%lu", GetCurrentProcessId());
  HANDLE process = start_server(name, count, arguments);
  open_lines(all, name, false);
  run_cells(all, &s);
  give_order(all, &(order){0});
  WaitForSingleObject(process, PATIENCE);
  return 0;
}
