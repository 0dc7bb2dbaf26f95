/* Many to one through shared memory: prints the lines of all log writers, each with its
 * time and the writer's pid.
 *
 *   log_collector [ADDRESS] [LINES]      channel:winipc-log-sample, and for ever
 *
 * Run log_writer beside it, as often as you like, before or after, or
 * samples/python/log_writer.py. A writer that dies disturbs none of the others. */
#define USED(f) \
  f(channel_options_init) f(channel_open) f(channel_received) f(receive_alloc) f(free) \
  f(connection_close)
#include "../load.h"

static winipc_connection *open_log(const char *address) {
  winipc_channel_options options;
  winipc_connection *log;
  ipc.channel_options_init(&options);
  options.role = WINIPC_CHANNEL_FUNNEL;
  check("open", ipc.channel_open(address, &options, WINIPC_NO_WAIT, &log));
  return log;
}

/* The time of a message is a FILETIME: 100 ns since 1601, UTC. */
static SYSTEMTIME time_of(const winipc_message_info *info) {
  FILETIME stamp = {(DWORD)info->time, (DWORD)(info->time >> 32)};
  SYSTEMTIME time = {0};
  FileTimeToSystemTime(&stamp, &time);
  return time;
}

static void show_line(winipc_connection *log) {
  winipc_message_info info = {.size = sizeof info};
  void *line; /* a NUL follows it */
  size_t size;
  check("receive", ipc.receive_alloc(log, &line, &size, WINIPC_FOREVER));
  check("received", ipc.channel_received(log, &info));
  SYSTEMTIME time = time_of(&info);
  printf("%02u:%02u:%02u.%03u [%u] %s\n", time.wHour, time.wMinute, time.wSecond,
         time.wMilliseconds, info.sender, (const char *)line);
  ipc.free(line);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "channel:winipc-log-sample";
  int lines = count > 2 ? atoi(arguments[2]) : -1;
  load_winipc();
  winipc_connection *log = open_log(address);
  printf("collecting at %s\n", address);
  while (lines-- != 0) show_line(log);
  ipc.connection_close(log);
  return 0;
}
