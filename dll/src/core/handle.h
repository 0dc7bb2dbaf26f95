/* The table behind the ids that callers hold.
 *
 * An id is a slot number, the generation of that slot and the kind of its object.
 * A call takes a reference for as long as it lasts. Closing refuses new references,
 * wakes the calls that are blocked in the object, waits for the last of them to
 * leave, and only then destroys it: no call ever sees an object go.
 *
 * An object may have two ways, in and out, each for one call at a time. Who is on a way
 * needs no reference: to take it costs one locked instruction, and to leave it none. */
#ifndef WINIPC_HANDLE_H
#define WINIPC_HANDLE_H

#include "core/win.h"

typedef enum handle_kind {
  HANDLE_CONNECTION = 1,
  HANDLE_LISTENER,
  HANDLE_CANCEL_TOKEN,
  HANDLE_PROCESS,
  HANDLE_MEMORY,
  HANDLE_MUTEX,
  HANDLE_EVENT,
  HANDLE_SEMAPHORE
} handle_kind;

struct waiters;

typedef struct handle_class {
  handle_kind kind;
  const char *name; /* "a connection" */
  /* The list of the calls that are blocked in the object, or NULL. */
  struct waiters *(*waiters)(void *object);
  HANDLE (*native)(void *object);
  /* Whether winipc_wait may wait for the native handle. */
  bool waitable;
  void (*destroy)(void *object);
} handle_class;

/* Gives the object an id. On failure the object stays the caller's. */
winipc_status handle_open(const handle_class *kind, void *object, void *id);

/* The object with a reference on it, or NULL with WINIPC_E_INVALID_HANDLE recorded.
 * `kind` NULL takes any. */
void *handle_acquire(const void *id, const handle_class *kind);
void handle_release(const void *id);

typedef enum handle_way { HANDLE_IN, HANDLE_OUT } handle_way;

/* Takes a way for the call. WINIPC_E_BUSY, not recorded: another thread is on it. */
winipc_status handle_enter(const void *id, const handle_class *kind, handle_way way,
                           void *object);
void handle_leave(const void *id, handle_way way);

/* The class of an id that the caller holds a reference on. */
const handle_class *handle_class_of(const void *id);

/* Closes and destroys. Returns when no call is in the object any more. */
winipc_status handle_close(const void *id, const handle_class *kind);

/* The same, but hands the object back instead of destroying it. */
winipc_status handle_withdraw(const void *id, const handle_class *kind, void **object);

/* Frees the table's own memory, when the DLL is unloaded. */
void handle_table_free(void);

#endif
