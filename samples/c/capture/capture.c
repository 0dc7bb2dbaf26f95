/* A child process with its standard output captured through an anonymous pipe.
 *
 *   capture [COMMAND...]      cmd /c ver
 *
 * Shows each piece of output as it comes, and at the end the child's exit code. */
#include <fcntl.h>
#include <io.h>

#define USED(f) \
  f(process_options_init) f(process_start) f(process_take_stream) f(receive) \
  f(process_wait) f(connection_close) f(process_close)
#include "../load.h"

enum { PATIENCE = 30000 }; /* milliseconds of silence */

static winipc_process *start(const char *const *arguments, int count) {
  winipc_process_options options;
  winipc_process *child;
  ipc.process_options_init(&options);
  options.arguments = arguments;
  options.argument_count = (uint32_t)count;
  options.streams[WINIPC_STDOUT].kind = WINIPC_STREAM_PIPE;
  options.streams[WINIPC_STDERR].kind = WINIPC_STREAM_MERGE; /* into the same pipe */
  options.kill_with_parent = 1; /* no child is left behind, however we end */
  check("start", ipc.process_start(&options, &child));
  return child;
}

static unsigned long long show(winipc_connection *output) {
  char data[4096];
  size_t size;
  unsigned long long total = 0;
  winipc_status status;
  while ((status = ipc.receive(output, data, sizeof data, &size, PATIENCE)) == 0) {
    fwrite(data, 1, size, stdout);
    total += size;
  }
  if (status != WINIPC_E_DISCONNECTED) check("receive", status); /* else: its end */
  return total;
}

int main(int count, char **arguments) {
  static const char *const version[] = {"cmd", "/c", "ver"};
  winipc_connection *output;
  uint32_t code;
  load_winipc();
  _setmode(_fileno(stdout), _O_BINARY); /* the child's bytes as they are */
  winipc_process *child =
      count > 1 ? start((const char **)arguments + 1, count - 1) : start(version, 3);
  check("output", ipc.process_take_stream(child, WINIPC_STDOUT, &output));
  unsigned long long total = show(output);
  check("wait", ipc.process_wait(child, PATIENCE, &code));
  printf("captured %llu bytes; exit code %u\n", total, code);
  ipc.connection_close(output);
  ipc.process_close(child);
  return 0;
}
