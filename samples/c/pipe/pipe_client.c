/* The client of pipe_server: sends each name as one message, and prints each answer.
 *
 *   pipe_client [ADDRESS] [NAME...]      pipe:winipc-sample world
 *
 * It may be started before the server: connecting waits until the server is there. */
#define USED(f) f(connect) f(send) f(receive) f(connection_close)
#include "../load.h"

enum { PATIENCE = 10000 }; /* milliseconds, for each step */

static void ask(winipc_connection *server, const char *name) {
  char answer[300];
  size_t size;
  check("send", ipc.send(server, name, strlen(name), PATIENCE));
  check("receive", ipc.receive(server, answer, sizeof answer, &size, PATIENCE));
  printf("%.*s\n", (int)size, answer);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "pipe:winipc-sample";
  winipc_connection *server;
  load_winipc();
  check("connect", ipc.connect(address, NULL, PATIENCE, &server));
  if (count < 3) ask(server, "world");
  for (int i = 2; i < count; i++) ask(server, arguments[i]);
  ipc.connection_close(server);
  return 0;
}
