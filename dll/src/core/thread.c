#include "core/thread.h"

/* Fiber-local rather than thread-local storage: FlsFree calls the callback for the
 * slots of all threads, so that unloading the DLL leaks none of them. */
static DWORD thread__index = FLS_OUT_OF_INDEXES;

static void WINAPI thread__slot_free(void *data) {
  thread_slot *slot = data;
  if (!slot) return;
  if (slot->wake) CloseHandle(slot->wake);
  HeapFree(GetProcessHeap(), 0, slot);
}

bool thread_slots_init(void) {
  thread__index = FlsAlloc(thread__slot_free);
  return thread__index != FLS_OUT_OF_INDEXES;
}

void thread_slots_free(void) {
  FlsFree(thread__index);
}

thread_slot *thread_slot_peek(void) {
  DWORD error = GetLastError(); /* FlsGetValue clears it */
  thread_slot *slot = FlsGetValue(thread__index);
  SetLastError(error);
  return slot;
}

thread_slot *thread_slot_get(void) {
  thread_slot *slot = thread_slot_peek();
  if (slot) return slot;
  slot = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *slot);
  if (slot && !FlsSetValue(thread__index, slot)) {
    HeapFree(GetProcessHeap(), 0, slot);
    slot = NULL;
  }
  return slot;
}
