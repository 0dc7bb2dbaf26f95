/* What memory_writer and memory_reader share: a board of text in named memory, the
 * mutex that guards it, and two events. Whoever comes first creates them; all begins as
 * zero. */
#ifndef MEMORY_BOARD_H
#define MEMORY_BOARD_H

#define USED(f) \
  f(memory_create_or_open) f(memory_map) f(memory_close) f(mutex_open) f(mutex_lock) \
  f(mutex_unlock) f(mutex_close) f(event_open) f(event_set) f(event_wait) \
  f(event_close)
#include "../load.h"

enum { PATIENCE = 10000, ROOM = 4096 - 8 }; /* milliseconds; bytes */

typedef struct board { /* the same in samples/python/memory_board.py */
  uint32_t used;       /* bytes of the text so far */
  uint32_t finished;   /* 1: there will be no more */
  char text[ROOM];
} board;

static winipc_memory *memory;
static winipc_mutex *mutex;
static winipc_event *written; /* there may be new text */
static winipc_event *taken;   /* the reader has all of it */

/* Named objects of all kinds share one list of names, hence the endings. */
static const char *name_of(const char *name, const char *ending) {
  static char text[128]; /* until the next call */
  snprintf(text, sizeof text, "%s-%s", name, ending);
  return text;
}

static board *open_board(const char *name) {
  void *address;
  load_winipc();
  check("memory", ipc.memory_create_or_open(name, sizeof(board), NULL, NULL, NULL,
                                            PATIENCE, NULL, &memory));
  check("map", ipc.memory_map(memory, 0, 0, WINIPC_MEMORY_READ_WRITE, &address));
  check("mutex", ipc.mutex_open(name_of(name, "mutex"), NULL, NULL, &mutex));
  check("event", ipc.event_open(name_of(name, "written"), 0, 0, NULL, NULL, &written));
  check("event", ipc.event_open(name_of(name, "taken"), 0, 0, NULL, NULL, &taken));
  return address;
}

static void lock_board(void) {
  if (check("lock", ipc.mutex_lock(mutex, PATIENCE)) == WINIPC_ABANDONED)
    fprintf(stderr, "the other side ended while it held the board\n");
}

static void unlock_board(void) {
  check("unlock", ipc.mutex_unlock(mutex));
}

static void close_board(void) {
  ipc.event_close(taken);
  ipc.event_close(written);
  ipc.mutex_close(mutex);
  ipc.memory_close(memory);
}

#endif
