/* Prints the ticks of tick_publisher, and how many were lost where some were.
 *
 *   tick_subscriber [ADDRESS] [oldest|now] [PAUSE]
 *   and without arguments: channel:winipc-tick-sample now 0
 *
 * `oldest` begins with the oldest tick that is still there, `now` with the next one.
 * With a PAUSE of some milliseconds after each tick it is too slow for the market. */
#define USED(f) \
  f(channel_options_init) f(channel_open) f(channel_received) f(receive) \
  f(connection_close)
#include "../load.h"
#include "tick.h"

enum { PATIENCE = 30000 }; /* milliseconds, for each step */

static winipc_connection *open_market(const char *address, int from_oldest) {
  winipc_channel_options options;
  winipc_connection *market;
  ipc.channel_options_init(&options);
  options.role = WINIPC_CHANNEL_SUBSCRIBER;
  options.from_oldest = from_oldest != 0;
  check("open", ipc.channel_open(address, &options, PATIENCE, &market));
  return market;
}

/* Receives the next tick; 0 at the end of the market. */
static int next_tick(winipc_connection *market, tick *tick) {
  size_t size;
  winipc_status status = ipc.receive(market, tick, sizeof *tick, &size, PATIENCE);
  if (status == WINIPC_E_DISCONNECTED) return 0;
  check("receive",
        status); /* WINIPC_LOST is no error: ticks were lost before this one */
  if (size == sizeof *tick) return 1;
  fprintf(stderr, "a message of %u bytes is no tick\n", (unsigned)size);
  exit(1);
}

/* Prints the tick that was received last; how many were lost before it. */
static unsigned long long show(winipc_connection *market, const tick *tick) {
  winipc_message_info info = {.size = sizeof info};
  check("received", ipc.channel_received(market, &info));
  if (info.lost) printf("lost %llu\n", (unsigned long long)info.lost);
  printf("#%llu %.8s %.2f x %lld\n", (unsigned long long)info.sequence, tick->symbol,
         tick->price, (long long)tick->volume);
  return info.lost;
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "channel:winipc-tick-sample";
  int from_oldest = count > 2 && !strcmp(arguments[2], "oldest");
  DWORD pause = count > 3 ? (DWORD)atoi(arguments[3]) : 0;
  unsigned long long received = 0, lost = 0;
  tick tick;
  load_winipc();
  winipc_connection *market = open_market(address, from_oldest);
  for (; next_tick(market, &tick); received++) {
    lost += show(market, &tick);
    Sleep(pause);
  }
  printf("received %llu ticks, lost %llu\n", received, lost);
  ipc.connection_close(market);
  return 0;
}
