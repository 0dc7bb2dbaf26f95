/* The native half of the demonstration; demo.py is the other, and starts it:
 *
 *   worker ADDRESS
 *
 * It connects to the pipe and answers requests until Python closes it:
 *
 *   echo ...     the same again
 *   take NAME    takes a file through the shared memory NAME (blocks.h); then the
 *                microseconds that the worker computed, as text
 *   sha256       the 32 bytes of its SHA-256
 *   histogram    how often each byte occurs in it: 256 little-endian 64-bit counts */
#define USED(f) \
  f(connect) f(receive) f(send) f(connection_peer) f(connection_close) f(process_open) \
  f(process_close) f(memory_open) f(memory_get_info) f(memory_map) f(memory_close) \
  f(lock_options_init) f(mutex_open) f(mutex_lock) f(mutex_unlock) f(mutex_close) \
  f(event_open) f(event_set) f(event_close) f(wait) f(version_text)
#include "../c/load.h"

#include "blocks.h"
#include "digest.h"

static digest taken;

static void answer(winipc_connection *python, const void *data, size_t size) {
  check("send", ipc.send(python, data, size, PATIENCE));
}

static void take(winipc_connection *python, const char *name) {
  winipc_peer peer = {.size = sizeof peer};
  blocks b;
  uint32_t size;
  char time[24];
  unsigned long long count = 0, total = 0;
  check("peer", ipc.connection_peer(python, &peer));
  blocks_open(&b, name, peer.pid);
  digest_begin(&taken);
  for (int turn = 0; (size = blocks_wait(&b, turn)) != 0; turn = (turn + 1) % BLOCKS) {
    digest_add(&taken, blocks_data(&b, turn), size);
    blocks_give_back(&b, turn);
    count++;
    total += size;
  }
  digest_end(&taken);
  blocks_close(&b);
  printf("took %llu bytes in %llu blocks\n", total, count);
  snprintf(time, sizeof time, "%llu", (unsigned long long)taken.microseconds);
  answer(python, time, strlen(time));
}

static void serve(winipc_connection *python, char *request, size_t size) {
  request[size] = 0;
  if (!strncmp(request, "echo ", 5)) {
    answer(python, request, size);
  } else if (!strncmp(request, "take ", 5)) {
    take(python, request + 5);
  } else if (!strcmp(request, "sha256")) {
    answer(python, taken.sha256, sizeof taken.sha256);
  } else if (!strcmp(request, "histogram")) {
    answer(python, taken.histogram, sizeof taken.histogram);
  } else {
    fprintf(stderr, "what is \"%s\"?\n", request);
    exit(1);
  }
}

int main(int count, char **arguments) {
  char request[1024];
  size_t size;
  unsigned long long served = 0;
  winipc_connection *python;
  winipc_status status;
  load_winipc();
  printf("a worker with winipc %s, process %lu\n", ipc.version_text(),
         GetCurrentProcessId());
  if (count < 2) return 2;
  check("connect", ipc.connect(arguments[1], NULL, PATIENCE, &python));
  while ((status = ipc.receive(python, request, sizeof request - 1, &size,
                               WINIPC_FOREVER)) == WINIPC_OK) {
    serve(python, request, size);
    served++;
  }
  if (status != WINIPC_E_DISCONNECTED) check("receive", status);
  ipc.connection_close(python);
  printf("served %llu requests\n", served);
  return 0;
}
