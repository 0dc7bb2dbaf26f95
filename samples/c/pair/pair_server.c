/* Request and reply through shared memory: squares of numbers.
 *
 *   pair_server [ADDRESS] [CLIENTS]      channel:winipc-pair-sample, and for ever
 *
 * Serves one client after the other; pair_client is one, and so is
 * samples/python/pair_client.py. The verbs are those of a pipe: with the address
 * pipe:squares, on both sides, all is the same but the time that it takes. */
#define USED(f) \
  f(listen) f(accept) f(receive) f(send) f(connection_close) f(listener_close)
#include "../load.h"

enum { PATIENCE = 10000 }; /* milliseconds for a client to take its answer */

/* Answers until the client ends. */
static void answer(winipc_connection *client) {
  double number;
  size_t size;
  unsigned answers = 0;
  winipc_status status;
  while ((status = ipc.receive(client, &number, sizeof number, &size,
                               WINIPC_FOREVER)) == 0) {
    if (size != sizeof number) break; /* never trust what others write */
    double square = number * number;
    check("send", ipc.send(client, &square, sizeof square, PATIENCE));
    answers++;
  }
  printf("answered %u times\n", answers);
  if (status == WINIPC_OK || status == WINIPC_E_MESSAGE_TOO_LARGE)
    fprintf(stderr, "a request of %u bytes is no number\n", (unsigned)size);
  else if (status != WINIPC_E_DISCONNECTED)
    check("receive", status);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "channel:winipc-pair-sample";
  int clients = count > 2 ? atoi(arguments[2]) : -1;
  winipc_listener *listener;
  load_winipc();
  check("listen", ipc.listen(address, NULL, &listener));
  printf("serving at %s\n", address);
  while (clients-- != 0) {
    winipc_connection *client;
    check("accept", ipc.accept(listener, WINIPC_FOREVER, &client));
    answer(client);
    ipc.connection_close(client);
  }
  ipc.listener_close(listener);
  return 0;
}
