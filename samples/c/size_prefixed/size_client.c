/* The client of size_server: sends each text with its size before it, then an empty
 * message and one of a million bytes, and prints what comes back.
 *
 *   size_client [ADDRESS] [TEXT...]      pipe:winipc-size-sample stressed */
#define USED(f) \
  f(connection_options_init) f(connect) f(send) f(receive_alloc) f(free) \
  f(connection_close)
#include "../load.h"

enum { PATIENCE = 10000, LARGE = 1000000 }; /* milliseconds; bytes */

static void ask(winipc_connection *server, const void *data, size_t size) {
  void *answer;
  size_t answer_size;
  check("send", ipc.send(server, data, size, PATIENCE));
  check("receive", ipc.receive_alloc(server, &answer, &answer_size, PATIENCE));
  if (answer_size < 100)
    printf("\"%s\"\n", (char *)answer); /* a NUL follows what receive_alloc gives */
  else
    printf("%zu bytes, from '%c' to '%c'\n", answer_size, *(char *)answer,
           ((char *)answer)[answer_size - 1]);
  ipc.free(answer);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "pipe:winipc-size-sample";
  static char large[LARGE];
  winipc_connection_options options;
  winipc_connection *server;
  load_winipc();
  ipc.connection_options_init(&options);
  options.framing = WINIPC_FRAMING_U32;
  check("connect", ipc.connect(address, &options, PATIENCE, &server));
  if (count < 3) ask(server, "stressed", 8);
  for (int i = 2; i < count; i++) ask(server, arguments[i], strlen(arguments[i]));
  ask(server, "", 0);
  memset(large, '-', LARGE);
  large[0] = 'a';
  large[LARGE - 1] = 'z';
  ask(server, large, LARGE);
  ipc.connection_close(server);
  return 0;
}
