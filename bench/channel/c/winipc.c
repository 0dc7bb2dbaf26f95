/* winipc itself, through winipc.dll as a program gets it that loads it: its pipes, and
 * its channels used in three ways. WINIPC_DLL names the DLL. Every option is the
 * default, but that a publisher waits for slow readers, as all do in this benchmark,
 * and that a ring is large enough for the messages that are built in it. */
#include "winipc.h"
#include "harness.h"

enum { PATIENCE = 20000, BATCH = 64, LOANS_IN_RING = 4 };

typedef struct line {
  winipc_connection *connection;
  char *message;  /* what was received; of a batch, all */
  bool lent;      /* a message of the ring is in the caller's hands */
  char *outgoing; /* the messages of a batch */
  winipc_part sent[BATCH], received[BATCH];
  uint32_t sent_count, received_count, next;
} line;

#define FUNCTIONS(X) \
  X(last_error)      \
  X(listen)          \
  X(accept)          \
  X(connect)         \
  X(send)            \
  X(receive)

#define CHANNEL_FUNCTIONS(X) \
  X(send_many)               \
  X(receive_many)            \
  X(channel_options_init)    \
  X(channel_open)            \
  X(channel_reserve)         \
  X(channel_commit)          \
  X(channel_peek)            \
  X(channel_release)

#define MEMBER(name) __typeof__(&winipc_##name) name;

static struct {
  FUNCTIONS(MEMBER)
  CHANNEL_FUNCTIONS(MEMBER)
} dll;

static void (*function(HMODULE module, const char *name))(void) {
  void (*found)(void) = (void (*)(void))GetProcAddress(module, name);
  if (!found) broken("no %s in winipc.dll", name);
  return found;
}

#define LOAD(name) dll.name = (__typeof__(dll.name))function(module, "winipc_" #name);

static void load(void) {
  const char *path = getenv("WINIPC_DLL");
  HMODULE module = LoadLibraryA(path ? path : "winipc.dll");
  if (!module) broken("LoadLibrary winipc.dll");
  FUNCTIONS(LOAD)
  CHANNEL_FUNCTIONS(LOAD)
}

static void must(winipc_status status, const char *call) {
  winipc_error error = {.size = sizeof error};
  if (status == WINIPC_OK) return;
  if (status > 0) broken("%s: news: %d", call, (int)status);
  dll.last_error(&error);
  SetLastError(error.win32);
  broken("%s: %s", call, error.text);
}

static const char *address(const job *j, const char *scheme) {
  static char text[128];
  snprintf(text, sizeof text, "%s:%s", scheme, j->name);
  return text;
}

static line *new_line(const job *j) {
  line *l = (line *)calloc(1, sizeof *l);
  load();
  l->message = new_message(j->size);
  return l;
}

/* ---- meeting ---- */

/* A funnel for many writers, a publisher for many readers, else a pair. */
static uint32_t role(const job *j) {
  if (!strcmp(j->mode, "fan_in"))
    return j->serves ? WINIPC_CHANNEL_FUNNEL : WINIPC_CHANNEL_LANE;
  if (!strcmp(j->mode, "fan_out"))
    return j->serves ? WINIPC_CHANNEL_PUBLISHER : WINIPC_CHANNEL_SUBSCRIBER;
  return WINIPC_CHANNEL_PAIR;
}

static void *open_channel(const job *j) {
  winipc_channel_options options;
  line *l = new_line(j);
  uint64_t least = LOANS_IN_RING * ((uint64_t)j->size + 64);
  must(dll.channel_options_init(&options), "winipc_channel_options_init");
  options.role = role(j);
  if (options.role == WINIPC_CHANNEL_PUBLISHER) options.full = WINIPC_FULL_BLOCK;
  if (options.capacity < least) options.capacity = least;
  must(dll.channel_open(address(j, "channel"), &options, PATIENCE, &l->connection),
       "winipc_channel_open");
  return l;
}

static void *serve_at(const job *j, const char *scheme) {
  winipc_listener *listener;
  load();
  must(dll.listen(address(j, scheme), NULL, &listener), "winipc_listen");
  return listener;
}

static void *accept_at(void *server, const job *j) {
  line *l = new_line(j);
  must(dll.accept((winipc_listener *)server, PATIENCE, &l->connection),
       "winipc_accept");
  return l;
}

static void *join_at(const job *j, const char *scheme) {
  line *l = new_line(j);
  must(dll.connect(address(j, scheme), NULL, PATIENCE, &l->connection),
       "winipc_connect");
  return l;
}

static void *serve_pipe(const job *j) {
  return serve_at(j, "pipe");
}

static void *join_pipe(const job *j) {
  return join_at(j, "pipe");
}

static void *serve_channel(const job *j) {
  if (role(j) != WINIPC_CHANNEL_PAIR) return open_channel(j);
  return serve_at(j, "channel");
}

static void *accept_channel(void *server, const job *j) {
  return role(j) != WINIPC_CHANNEL_PAIR ? server : accept_at(server, j);
}

static void *join_channel(const job *j) {
  return role(j) != WINIPC_CHANNEL_PAIR ? open_channel(j) : join_at(j, "channel");
}

/* ---- messages one by one ---- */

static void send_one(void *link, const void *data, uint32_t size) {
  must(dll.send(((line *)link)->connection, data, size, PATIENCE), "winipc_send");
}

static const void *receive_one(void *link, uint32_t size) {
  line *l = (line *)link;
  size_t got;
  must(dll.receive(l->connection, l->message, size, &got, PATIENCE), "winipc_receive");
  if (got != size) broken("a message of %u bytes", (unsigned)got);
  return l->message;
}

/* ---- built and read in the ring ---- */

/* The two of a pair that is opened by name meet whoever comes first. */
static void *serve_nothing(const job *j) {
  (void)j;
  return NULL;
}

static void *accept_loans(void *server, const job *j) {
  (void)server;
  return open_channel(j);
}

static void send_loan(void *link, const void *data, uint32_t size) {
  line *l = (line *)link;
  void *room;
  must(dll.channel_reserve(l->connection, size, PATIENCE, &room),
       "winipc_channel_reserve");
  memcpy(room, data, size);
  must(dll.channel_commit(l->connection, size), "winipc_channel_commit");
}

static const void *receive_loan(void *link, uint32_t size) {
  line *l = (line *)link;
  const void *message;
  size_t got;
  if (l->lent) must(dll.channel_release(l->connection), "winipc_channel_release");
  must(dll.channel_peek(l->connection, PATIENCE, &message, &got),
       "winipc_channel_peek");
  if (got != size) broken("a message of %u bytes", (unsigned)got);
  l->lent = true;
  return message;
}

/* ---- in batches ---- */

static void *in_batches(void *link, const job *j) {
  line *l = (line *)link;
  l->message = new_message(BATCH * (j->size + 8));
  l->outgoing = new_message(BATCH * j->size);
  return l;
}

static void *accept_batches(void *server, const job *j) {
  return in_batches(accept_channel(server, j), j);
}

static void *join_batches(const job *j) {
  return in_batches(join_channel(j), j);
}

static void flush_batch(void *link) {
  line *l = (line *)link;
  uint32_t sent;
  if (!l->sent_count) return;
  must(dll.send_many(l->connection, l->sent, l->sent_count, PATIENCE, &sent),
       "winipc_send_many");
  if (sent != l->sent_count) broken("%u of a batch were sent", sent);
  l->sent_count = 0;
}

static void send_batch(void *link, const void *data, uint32_t size) {
  line *l = (line *)link;
  char *place = l->outgoing + (size_t)l->sent_count * size;
  memcpy(place, data, size);
  l->sent[l->sent_count].data = place;
  l->sent[l->sent_count].size = size;
  if (++l->sent_count == BATCH) flush_batch(link);
}

static const void *receive_batch(void *link, uint32_t size) {
  line *l = (line *)link;
  if (l->next == l->received_count) {
    must(dll.receive_many(l->connection, l->message, BATCH * ((size_t)size + 8),
                          l->received, BATCH, &l->received_count, PATIENCE),
         "winipc_receive_many");
    l->next = 0;
  }
  const winipc_part *part = &l->received[l->next++];
  if (part->size != size) broken("a message of %u bytes", (unsigned)part->size);
  return part->data;
}

static const peer peers[] = {
    {.name = "winipc_pipe",
     .serve = serve_pipe,
     .accept = accept_at,
     .join = join_pipe,
     .send = send_one,
     .receive = receive_one},
    {.name = "winipc_channel",
     .shared = SHARED_FAN_IN | SHARED_FAN_OUT,
     .serve = serve_channel,
     .accept = accept_channel,
     .join = join_channel,
     .send = send_one,
     .receive = receive_one},
    {.name = "winipc_loan",
     .serve = serve_nothing,
     .accept = accept_loans,
     .join = open_channel,
     .send = send_loan,
     .receive = receive_loan},
    {.name = "winipc_batch",
     .serve = serve_channel,
     .accept = accept_batches,
     .join = join_batches,
     .send = send_batch,
     .receive = receive_batch,
     .flush = flush_batch},
};

int main(int words, char **arguments) {
  return harness_main(peers, sizeof peers / sizeof *peers, words, arguments);
}
