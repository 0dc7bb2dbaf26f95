/* A byte pipe, where a 32-bit little-endian size goes before each message: the wire
 * format of browsers' native messaging hosts and of many a program of one's own.
 *
 *   size_server [ADDRESS]      pipe:winipc-size-sample
 *
 * Answers each message of one client with the same bytes in reverse, then ends. A
 * message may be empty, or larger than anything the pipe can hold at once. Run
 * size_client while it runs, or samples/python/size_client.py. */
#define USED(f) \
  f(pipe_options_init) f(pipe_listen) f(accept) f(receive_alloc) f(send) f(free) \
  f(connection_close) f(listener_close)
#include "../load.h"

enum { PATIENCE = 10000 }; /* milliseconds */

static void reverse(char *data, size_t size) {
  for (size_t i = 0; i < size / 2; i++) {
    char other = data[size - 1 - i];
    data[size - 1 - i] = data[i];
    data[i] = other;
  }
}

static void serve(winipc_connection *client) {
  void *data; /* the library's memory: the size is not known before */
  size_t size;
  winipc_status status;
  while ((status = ipc.receive_alloc(client, &data, &size, WINIPC_FOREVER)) == 0) {
    reverse(data, size);
    check("send", ipc.send(client, data, size, PATIENCE));
    printf("answered %zu bytes\n", size);
    ipc.free(data);
  }
  if (status != WINIPC_E_DISCONNECTED) check("receive", status);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "pipe:winipc-size-sample";
  winipc_pipe_options options;
  winipc_listener *listener;
  winipc_connection *client;
  load_winipc();
  ipc.pipe_options_init(&options);
  options.type = WINIPC_PIPE_BYTE;
  options.framing = WINIPC_FRAMING_U32;
  check("listen", ipc.pipe_listen(address, &options, &listener));
  printf("serving at %s\n", address);
  check("accept", ipc.accept(listener, WINIPC_FOREVER, &client));
  serve(client);
  ipc.connection_close(client);
  ipc.listener_close(listener);
  return 0;
}
