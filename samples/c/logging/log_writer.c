/* One of many writers of a log: sends each line to log_collector.
 *
 *   log_writer [ADDRESS] [LINE...]      channel:winipc-log-sample, three lines
 *
 * It may be started before the collector: opening waits until the collector is there.
 */
#define USED(f) \
  f(channel_options_init) f(channel_open) f(send) f(drain) f(connection_close)
#include "../load.h"

enum { PATIENCE = 10000 }; /* milliseconds, for each step */

static winipc_connection *open_lane(const char *address) {
  winipc_channel_options options;
  winipc_connection *log;
  ipc.channel_options_init(&options);
  options.role = WINIPC_CHANNEL_LANE; /* a full ring waits: no line is lost */
  options.fields = WINIPC_FIELD_TIME; /* each line has the time of its sending */
  check("open", ipc.channel_open(address, &options, PATIENCE, &log));
  return log;
}

static void write_line(winipc_connection *log, const char *line) {
  check("send", ipc.send(log, line, strlen(line), PATIENCE));
}

int main(int count, char **arguments) {
  static const char *const lines[] = {"started", "working", "done"};
  load_winipc();
  winipc_connection *log =
      open_lane(count > 1 ? arguments[1] : "channel:winipc-log-sample");
  for (int i = 0; count < 3 && i < 3; i++) write_line(log, lines[i]);
  for (int i = 2; i < count; i++) write_line(log, arguments[i]);
  check("drain", ipc.drain(log, PATIENCE)); /* the collector has read them all */
  ipc.connection_close(log);
  return 0;
}
