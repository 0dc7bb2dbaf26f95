/* One to many through shared memory: market ticks to however many subscribers.
 *
 *   tick_publisher [ADDRESS] [TICKS] [SUBSCRIBERS]
 *   and without arguments: channel:winipc-tick-sample 300 1
 *
 * Publishes TICKS ticks, waits until there are SUBSCRIBERS subscribers, and publishes
 * as many again. The ring keeps the last 100 ticks or so: a subscriber that comes late
 * may begin with the oldest of them, and one that is slower than the market loses ticks
 * and learns how many. The publisher never waits for any of them.
 *
 * Run tick_subscriber beside it, as often as you like, or
 * samples/python/tick_subscriber.py. */
#define USED(f) \
  f(channel_options_init) f(channel_open) f(channel_inspect) f(send) f(connection_close)
#include "../load.h"
#include "tick.h"

enum { PATIENCE = 30000, RING = 4096, MOST = 64 }; /* milliseconds; bytes; max_peers */

static winipc_connection *open_market(const char *address) {
  winipc_channel_options options;
  winipc_connection *market;
  ipc.channel_options_init(&options);
  options.role = WINIPC_CHANNEL_PUBLISHER; /* a full ring overwrites its oldest */
  options.capacity = RING;                 /* small, so that losses can be seen */
  options.fields = WINIPC_FIELD_SEQUENCE;  /* each tick has its number */
  check("open", ipc.channel_open(address, &options, PATIENCE, &market));
  return market;
}

static void publish(winipc_connection *market, int first, int ticks) {
  for (int i = first; i < first + ticks; i++) {
    tick tick = {"ACME", 100 + i % 40 / 4.0, 10 + i % 7};
    check("send", ipc.send(market, &tick, sizeof tick, PATIENCE));
    if (i % 5 == 0) Sleep(1); /* the market breathes */
  }
}

/* The members of a channel are its publisher and all subscribers. */
static void await_subscribers(const char *address, uint32_t subscribers) {
  winipc_channel_member members[1 + MOST];
  uint32_t count = 0;
  members[0].size = sizeof members[0];
  while (count < 1 + subscribers) {
    check("inspect", ipc.channel_inspect(address, NULL, PATIENCE, members,
                                         sizeof members / sizeof *members, &count));
    Sleep(20);
  }
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "channel:winipc-tick-sample";
  int ticks = count > 2 ? atoi(arguments[2]) : 300;
  uint32_t subscribers = count > 3 ? (uint32_t)atoi(arguments[3]) : 1;
  load_winipc();
  winipc_connection *market = open_market(address);
  publish(market, 0, ticks);
  printf("published %d ticks; waiting for %u subscribers\n", ticks, subscribers);
  await_subscribers(address, subscribers);
  publish(market, ticks, ticks);
  printf("published %d ticks more\n", ticks);
  ipc.connection_close(market); /* subscribers still get what is in the ring */
  return 0;
}
