/* A named pipe that keeps messages apart: requests and answers.
 *
 *   pipe_server [ADDRESS] [CLIENTS]      pipe:winipc-sample, and for ever
 *
 * Greets whoever writes, one client after the other. Only the user who runs it can
 * connect. Run pipe_client while it runs, or samples/python/pipe_client.py. */
#define USED(f) \
  f(listen) f(accept) f(receive) f(send) f(connection_peer) f(connection_close) \
  f(listener_close)
#include "../load.h"

enum { PATIENCE = 10000 }; /* milliseconds for a client to take its answer */

static void greet(winipc_connection *client) {
  char name[256], answer[300];
  size_t size;
  winipc_status status;
  while ((status = ipc.receive(client, name, sizeof name, &size, WINIPC_FOREVER)) ==
         0) {
    int length = snprintf(answer, sizeof answer, "hello, %.*s", (int)size, name);
    check("send", ipc.send(client, answer, (size_t)length, PATIENCE));
    printf("answered: %s\n", answer);
  }
  /* The client's end is what we wait for; anything else is an error. */
  if (status != WINIPC_E_DISCONNECTED) check("receive", status);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "pipe:winipc-sample";
  int clients = count > 2 ? atoi(arguments[2]) : -1;
  winipc_listener *listener;
  load_winipc();
  check("listen", ipc.listen(address, NULL, &listener));
  printf("serving at %s\n", address);
  while (clients-- != 0) {
    winipc_connection *client;
    winipc_peer peer = {.size = sizeof peer};
    check("accept", ipc.accept(listener, WINIPC_FOREVER, &client));
    if (ipc.connection_peer(client, &peer) == WINIPC_OK)
      printf("a client: process %u\n", peer.pid);
    greet(client);
    ipc.connection_close(client);
  }
  ipc.listener_close(listener);
  return 0;
}
