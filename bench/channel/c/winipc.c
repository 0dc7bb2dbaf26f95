/* winipc itself, through winipc.dll as a program gets it that loads it: one peer for
 * each kind of address. WINIPC_DLL names the DLL. */
#include "winipc.h"
#include "harness.h"

enum { PATIENCE = 20000 };

typedef struct line {
  winipc_connection *connection;
  char *message;
} line;

static struct {
  __typeof__(&winipc_listen) listen;
  __typeof__(&winipc_accept) accept;
  __typeof__(&winipc_connect) connect;
  __typeof__(&winipc_send) send;
  __typeof__(&winipc_receive) receive;
  __typeof__(&winipc_last_error) last_error;
} dll;

static void (*function(HMODULE module, const char *name))(void) {
  void (*found)(void) = (void (*)(void))GetProcAddress(module, name);
  if (!found) broken("no %s in winipc.dll", name);
  return found;
}

#define LOAD(member) \
  dll.member = (__typeof__(dll.member))function(module, "winipc_" #member)

static void load(void) {
  const char *path = getenv("WINIPC_DLL");
  HMODULE module = LoadLibraryA(path ? path : "winipc.dll");
  if (!module) broken("LoadLibrary winipc.dll");
  LOAD(listen);
  LOAD(accept);
  LOAD(connect);
  LOAD(send);
  LOAD(receive);
  LOAD(last_error);
}

static void must(winipc_status status, const char *call) {
  winipc_error error = {.size = sizeof error};
  if (status >= 0) return;
  dll.last_error(&error);
  SetLastError(error.win32);
  broken("%s: %s", call, error.text);
}

static const char *address(const job *j, const char *scheme) {
  static char text[128];
  snprintf(text, sizeof text, "%s:%s", scheme, j->name);
  return text;
}

static void *serve(const job *j, const char *scheme) {
  winipc_listener *listener;
  load();
  must(dll.listen(address(j, scheme), NULL, &listener), "winipc_listen");
  return listener;
}

static void *accept_one(void *server, const job *j) {
  line *l = (line *)calloc(1, sizeof *l);
  l->message = new_message(j->size);
  must(dll.accept((winipc_listener *)server, PATIENCE, &l->connection),
       "winipc_accept");
  return l;
}

static void *join(const job *j, const char *scheme) {
  line *l = (line *)calloc(1, sizeof *l);
  load();
  l->message = new_message(j->size);
  must(dll.connect(address(j, scheme), NULL, PATIENCE, &l->connection),
       "winipc_connect");
  return l;
}

static void send_message(void *link, const void *data, uint32_t size) {
  must(dll.send(((line *)link)->connection, data, size, PATIENCE), "winipc_send");
}

static const void *receive_message(void *link, uint32_t size) {
  line *l = (line *)link;
  size_t got;
  must(dll.receive(l->connection, l->message, size, &got, PATIENCE), "winipc_receive");
  if (got != size) broken("a message of %u bytes", (unsigned)got);
  return l->message;
}

static void *serve_pipe(const job *j) {
  return serve(j, "pipe");
}

static void *join_pipe(const job *j) {
  return join(j, "pipe");
}

static void *serve_channel(const job *j) {
  return serve(j, "channel");
}

static void *join_channel(const job *j) {
  return join(j, "channel");
}

/* Batched sends, loans, publish/subscribe and funnels of the channel go here, each as
 * a peer with its own send and receive; a funnel is SHARED_FAN_IN, a publisher
 * SHARED_FAN_OUT. */
static const peer peers[] = {{.name = "winipc_pipe",
                              .serve = serve_pipe,
                              .accept = accept_one,
                              .join = join_pipe,
                              .send = send_message,
                              .receive = receive_message},
                             {.name = "winipc_channel",
                              .serve = serve_channel,
                              .accept = accept_one,
                              .join = join_channel,
                              .send = send_message,
                              .receive = receive_message}};

int main(int words, char **arguments) {
  return harness_main(peers, sizeof peers / sizeof *peers, words, arguments);
}
