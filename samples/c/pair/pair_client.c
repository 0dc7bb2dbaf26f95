/* The client of pair_server: asks for the square of each number, then times a thousand
 * questions more.
 *
 *   pair_client [ADDRESS] [NUMBER...]      channel:winipc-pair-sample 1.5
 *
 * It may be started before the server: connecting waits until the server is there. */
#define USED(f) f(connect) f(send) f(receive) f(connection_close)
#include "../load.h"

enum { PATIENCE = 10000, QUESTIONS = 1000 }; /* milliseconds, for each step */

static double ask(winipc_connection *server, double number) {
  double square;
  size_t size;
  check("send", ipc.send(server, &number, sizeof number, PATIENCE));
  check("receive", ipc.receive(server, &square, sizeof square, &size, PATIENCE));
  if (size == sizeof square) return square;
  fprintf(stderr, "an answer of %u bytes is no number\n", (unsigned)size);
  exit(1);
}

static void show(winipc_connection *server, const char *text) {
  char *end;
  double number = strtod(text, &end);
  if (end == text || *end) {
    fprintf(stderr, "\"%s\" is no number\n", text);
    exit(1);
  }
  printf("%g\n", ask(server, number));
}

static void time_questions(winipc_connection *server) {
  LARGE_INTEGER frequency, start, end;
  QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&start);
  for (int i = 0; i < QUESTIONS; i++) ask(server, i);
  QueryPerformanceCounter(&end);
  double seconds = (double)(end.QuadPart - start.QuadPart) / (double)frequency.QuadPart;
  printf("%d questions more: %.1f microseconds each\n", QUESTIONS,
         seconds * 1e6 / QUESTIONS);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "channel:winipc-pair-sample";
  winipc_connection *server;
  load_winipc();
  check("connect", ipc.connect(address, NULL, PATIENCE, &server));
  if (count < 3) show(server, "1.5");
  for (int i = 2; i < count; i++) show(server, arguments[i]);
  time_questions(server);
  ipc.connection_close(server);
  return 0;
}
