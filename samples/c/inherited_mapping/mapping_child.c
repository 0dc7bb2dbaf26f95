/* The child of mapping_parent: adopts the shared memory whose handle it has inherited,
 * and turns its text into capitals.
 *
 *   mapping_child HANDLE      started by mapping_parent */
#include <ctype.h>

#define USED(f) f(memory_from_handle) f(memory_get_info) f(memory_map) f(memory_close)
#include "../load.h"

int main(int count, char **arguments) {
  winipc_memory *memory;
  winipc_memory_info info = {.size = sizeof info};
  void *address;
  load_winipc();
  void *handle = (void *)(uintptr_t)(count > 1 ? strtoull(arguments[1], NULL, 10) : 0);
  check("memory", ipc.memory_from_handle(handle, NULL, &memory));
  check("info", ipc.memory_get_info(memory, &info));
  check("map", ipc.memory_map(memory, 0, 0, WINIPC_MEMORY_READ_WRITE, &address));
  char *text = address, *end = text + info.bytes;
  printf("the child inherited %llu bytes\n", (unsigned long long)info.bytes);
  for (char *c = text; c < end && *c; c++) *c = (char)toupper((unsigned char)*c);
  ipc.memory_close(memory);
  return 0;
}
