/* The worker's side of the payload: two blocks of shared memory that change hands, as
 * blocks.py describes them. */
#ifndef BLOCKS_H
#define BLOCKS_H

enum { PATIENCE = 30000, FIRST_BLOCK = 4096, BLOCKS = 2 }; /* milliseconds; bytes */

typedef struct blocks_header { /* at the start of the memory */
  struct {
    uint32_t full; /* 1: the worker's, 0: Python's */
    uint32_t size; /* bytes in it; 0: the end of the file */
  } block[BLOCKS];
} blocks_header;

typedef struct blocks {
  winipc_memory *memory;
  winipc_mutex *mutex;    /* guards the header */
  winipc_event *filled;   /* a block may have become full */
  winipc_event *emptied;  /* a block may have become empty */
  winipc_process *python; /* to notice its end */
  blocks_header *header;
  uint64_t room; /* bytes of each block */
} blocks;

static void blocks_open(blocks *b, const char *name, uint32_t python) {
  char text[256];
  void *address;
  winipc_memory_info info = {.size = sizeof info};
  winipc_lock_options existing;
  ipc.lock_options_init(&existing);
  existing.mode = WINIPC_OPEN; /* Python has made them all */
  check("process", ipc.process_open(python, &b->python));
  check("memory", ipc.memory_open(name, NULL, &b->memory));
  check("memory", ipc.memory_get_info(b->memory, &info));
  check("map", ipc.memory_map(b->memory, 0, 0, WINIPC_MEMORY_READ_WRITE, &address));
  snprintf(text, sizeof text, "%s-mutex", name);
  check("mutex", ipc.mutex_open(text, &existing, NULL, &b->mutex));
  snprintf(text, sizeof text, "%s-filled", name);
  check("event", ipc.event_open(text, 0, 0, &existing, NULL, &b->filled));
  snprintf(text, sizeof text, "%s-emptied", name);
  check("event", ipc.event_open(text, 0, 0, &existing, NULL, &b->emptied));
  b->header = address;
  b->room = (info.bytes - FIRST_BLOCK) / BLOCKS;
}

static void blocks_close(blocks *b) {
  ipc.event_close(b->emptied);
  ipc.event_close(b->filled);
  ipc.mutex_close(b->mutex);
  ipc.memory_close(b->memory);
  ipc.process_close(b->python);
}

/* Waits until the block is full. Its size, never more than there is room for. */
static uint32_t blocks_wait(blocks *b, int turn) {
  const void *const either[] = {b->filled, b->python};
  uint32_t full, size, which;
  for (;;) {
    check("lock", ipc.mutex_lock(b->mutex, PATIENCE));
    full = b->header->block[turn].full;
    size = b->header->block[turn].size;
    check("unlock", ipc.mutex_unlock(b->mutex));
    if (full && size <= b->room) return size;
    check("wait", ipc.wait(either, 2, 0, PATIENCE, &which));
    if (which == 1) exit(1); /* Python has gone: nobody wants the answer */
  }
}

static const unsigned char *blocks_data(blocks *b, int turn) {
  return (const unsigned char *)b->header + FIRST_BLOCK + (uint64_t)turn * b->room;
}

static void blocks_give_back(blocks *b, int turn) {
  check("lock", ipc.mutex_lock(b->mutex, PATIENCE));
  b->header->block[turn].full = 0;
  check("unlock", ipc.mutex_unlock(b->mutex));
  check("set", ipc.event_set(b->emptied));
}

#endif
