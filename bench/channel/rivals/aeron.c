/* Aeron over its shared memory, "aeron:ipc": concurrent publications, and subscriptions
 * that are polled without a pause. Its media driver works in a process of its own. */
#include "harness.h"

#include <aeronc.h>
#include <aeronmd.h>

enum { TO_SERVER = 1, TO_CLIENTS = 2, LOOK_EVERY = 1 << 14 };

#define CHANNEL "aeron:ipc?term-length=16m"

typedef struct line {
  aeron_publication_t *out;
  aeron_subscription_t *in;
  aeron_fragment_assembler_t *assembler;
  char *message;
  size_t room, size; /* of the message; 0 while none is whole */
} line;

static void must(int result, const char *call) {
  if (result < 0) broken("%s: %s", call, aeron_errmsg());
}

static const char *folder(const job *j) {
  static char path[512];
  const char *temp = getenv("WINIPC_BENCH_TEMP");
  snprintf(path, sizeof path, "%s\\%s", temp ? temp : ".", j->name);
  return path;
}

/* ---- the media driver ---- */

static void drive(const job *j) {
  aeron_driver_context_t *context;
  aeron_driver_t *driver;
  must(aeron_driver_context_init(&context), "aeron_driver_context_init");
  must(aeron_driver_context_set_dir(context, folder(j)), "set_dir");
  must(aeron_driver_context_set_threading_mode(context, AERON_THREADING_MODE_SHARED),
       "set_threading_mode");
  must(aeron_driver_init(&driver, context), "aeron_driver_init");
  must(aeron_driver_start(driver, false), "aeron_driver_start");
  printf("ready\n");
  fflush(stdout);
  Sleep(INFINITE);
}

/* ---- messages ---- */

static void take(void *owner, const uint8_t *bytes, size_t size,
                 aeron_header_t *header) {
  line *l = (line *)owner;
  (void)header;
  l->size = size;
  if (size <= l->room) memcpy(l->message, bytes, size);
}

static void send_message(void *link, const void *data, uint32_t size) {
  line *l = (line *)link;
  for (;;) {
    int64_t at = aeron_publication_offer(l->out, data, size, NULL, NULL);
    if (at >= 0) return;
    if (at != AERON_PUBLICATION_BACK_PRESSURED && at != AERON_PUBLICATION_ADMIN_ACTION)
      broken("aeron_publication_offer: %d", (int)at);
    YieldProcessor();
  }
}

static const void *receive_message(void *link, uint32_t size) {
  line *l = (line *)link;
  l->size = 0;
  for (unsigned i = 1; !l->size; i++) {
    must(aeron_subscription_poll(l->in, aeron_fragment_assembler_handler, l->assembler,
                                 1),
         "aeron_subscription_poll");
    if (i % LOOK_EVERY == 0 && !aeron_subscription_image_count(l->in))
      broken("the publication has gone");
    YieldProcessor();
  }
  if (l->size != size) broken("a message of %u bytes", (unsigned)l->size);
  return l->message;
}

/* ---- meeting ---- */

static aeron_t *start_client(const job *j) {
  aeron_context_t *context;
  aeron_t *client;
  must(aeron_context_init(&context), "aeron_context_init");
  must(aeron_context_set_dir(context, folder(j)), "aeron_context_set_dir");
  must(aeron_init(&client, context), "aeron_init");
  must(aeron_start(client), "aeron_start");
  return client;
}

static void publish(line *l, aeron_t *client, int stream) {
  aeron_async_add_publication_t *order;
  must(aeron_async_add_publication(&order, client, CHANNEL, stream), "publication");
  while (!l->out) {
    must(aeron_async_add_publication_poll(&l->out, order), "publication");
    Sleep(1);
  }
}

static void subscribe(line *l, aeron_t *client, int stream) {
  aeron_async_add_subscription_t *order;
  must(aeron_async_add_subscription(&order, client, CHANNEL, stream, NULL, NULL, NULL,
                                    NULL),
       "subscription");
  while (!l->in) {
    must(aeron_async_add_subscription_poll(&l->in, order), "subscription");
    Sleep(1);
  }
}

static void *open_line(const job *j) {
  line *l = (line *)calloc(1, sizeof *l);
  aeron_t *client = start_client(j);
  l->message = new_message(j->size);
  l->room = j->size;
  must(aeron_fragment_assembler_create(&l->assembler, take, l), "fragment_assembler");
  publish(l, client, j->serves ? TO_CLIENTS : TO_SERVER);
  subscribe(l, client, j->serves ? TO_SERVER : TO_CLIENTS);
  return l;
}

static void await_other(const line *l) {
  while (!aeron_publication_is_connected(l->out) ||
         !aeron_subscription_image_count(l->in))
    Sleep(1);
}

static void *accept_all(void *server, const job *j) {
  (void)j;
  await_other((line *)server);
  return server;
}

static void *join(const job *j) {
  line *l = (line *)open_line(j);
  await_other(l);
  return l;
}

static const peer peers[] = {{.name = "aeron",
                              .shared = SHARED_FAN_IN | SHARED_FAN_OUT,
                              .serve = open_line,
                              .accept = accept_all,
                              .join = join,
                              .send = send_message,
                              .receive = receive_message,
                              .help = drive}};

int main(int words, char **arguments) {
  return harness_main(peers, 1, words, arguments);
}
