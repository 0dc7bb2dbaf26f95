/* Shared memory without a name: only a child that inherits its handle can get at it.
 * The handle's value, the same number in parent and child, goes on the command line.
 *
 *   mapping_parent [CHILD...]      mapping_child
 *
 * The child is any command that takes the number as its last argument, such as
 * samples/python/mapping_child.py with the python in front. */
#define USED(f) \
  f(memory_options_init) f(memory_create) f(memory_map) f(memory_close) \
  f(native_handle) f(process_options_init) f(process_start) f(process_wait) \
  f(process_close)
#include "../load.h"

enum { PATIENCE = 30000, BYTES = 4096 }; /* milliseconds; bytes */

/* Starts CHILD... NUMBER, which inherits this one handle and no other. */
static winipc_process *start(char **command, int count, void *handle) {
  const char **words = calloc((size_t)count + 2, sizeof *words);
  char number[24];
  winipc_process_options options;
  winipc_process *child;
  if (!words) abort();
  words[0] = "mapping_child";
  for (int i = 0; i < count; i++) words[i] = command[i];
  if (count == 0) count = 1;
  snprintf(number, sizeof number, "%llu", (unsigned long long)(uintptr_t)handle);
  words[count] = number;
  ipc.process_options_init(&options);
  options.arguments = words;
  options.argument_count = (uint32_t)count + 1;
  options.inherited = &handle;
  options.inherited_count = 1;
  check("start", ipc.process_start(&options, &child));
  free(words);
  return child;
}

int main(int count, char **arguments) {
  winipc_memory_options options;
  winipc_memory *memory;
  void *address, *handle;
  uint32_t code;
  load_winipc();
  ipc.memory_options_init(&options);
  options.inheritable = 1;
  check("memory", ipc.memory_create(NULL, BYTES, &options, &memory));
  check("map", ipc.memory_map(memory, 0, 0, WINIPC_MEMORY_READ_WRITE, &address));
  check("handle", ipc.native_handle(memory, &handle));
  snprintf(address, BYTES, "what the parent wrote");
  winipc_process *child = start(arguments + 1, count - 1, handle);
  check("wait", ipc.process_wait(child, PATIENCE, &code));
  printf("the child ended with %u and left: %.*s\n", code, BYTES, (char *)address);
  ipc.process_close(child);
  ipc.memory_close(memory);
  return code != 0;
}
