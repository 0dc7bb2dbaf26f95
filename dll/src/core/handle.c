#include "core/handle.h"

#include <stdatomic.h>

#include "core/status.h"
#include "core/wait.h"

/* state: generation << 32 | OPEN | CLOSING | references. */
#define HANDLE__OPEN 0x80000000u
#define HANDLE__CLOSING 0x40000000u
#define HANDLE__REFERENCES 0x3FFFFFFFu

enum {
  HANDLE__CHUNK = 1024, /* slots that are allocated together, and never moved */
  HANDLE__CHUNKS = 1024,
  HANDLE__KIND_BITS = 8,
  HANDLE__SLOT_BITS = 24,
  HANDLE__LOOK_AGAIN_MS = 1
};

typedef struct handle__slot {
  volatile LONG64 state;
  atomic_long ways[2]; /* 1: a call is on it */
  void *object;
  const handle_class *kind;
  struct handle__slot *next_free;
} handle__slot;

static handle__slot handle__first_chunk[HANDLE__CHUNK];
static handle__slot *volatile handle__chunks[HANDLE__CHUNKS] = {handle__first_chunk};
static uint32_t handle__used; /* slots that were ever given out */
static handle__slot *handle__free;
static SRWLOCK handle__lock = SRWLOCK_INIT;
static CONDITION_VARIABLE handle__left = CONDITION_VARIABLE_INIT;

static uint32_t handle__generation(LONG64 state) {
  return (uint32_t)((uint64_t)state >> 32);
}

static void *handle__id(uint32_t slot, const handle__slot *s) {
  return (void *)(uintptr_t)((uint64_t)handle__generation(s->state) << 32 |
                             (uint64_t)slot << HANDLE__KIND_BITS |
                             (uint64_t)s->kind->kind);
}

static uint32_t handle__slot_number(const void *id) {
  return (uint32_t)(uintptr_t)id >> HANDLE__KIND_BITS;
}

static handle__slot *handle__slot_of(const void *id) {
  uint32_t slot = handle__slot_number(id);
  if (slot >= HANDLE__CHUNK * HANDLE__CHUNKS) return NULL;
  handle__slot *chunk = handle__chunks[slot / HANDLE__CHUNK];
  return chunk ? &chunk[slot % HANDLE__CHUNK] : NULL;
}

static bool handle__matches(const void *id, LONG64 state, const handle__slot *s,
                            const handle_class *kind) {
  return handle__generation(state) == (uint32_t)((uintptr_t)id >> 32) &&
         (state & HANDLE__OPEN) && !(state & HANDLE__CLOSING) &&
         ((uintptr_t)id & 0xFF) == (uintptr_t)s->kind->kind &&
         (!kind || s->kind == kind);
}

static winipc_status handle__refuse(const handle_class *kind) {
  return status_fail(WINIPC_E_INVALID_HANDLE, "the handle is not %s that is open",
                     kind ? kind->name : "an object");
}

/* With handle__lock held. */
static handle__slot *handle__take_slot(uint32_t *number) {
  handle__slot *s = handle__free;
  if (s) {
    handle__free = s->next_free;
    *number = (uint32_t)(uintptr_t)s->object; /* parked there by handle__park */
    return s;
  }
  if (handle__used == HANDLE__CHUNK * HANDLE__CHUNKS) return NULL;
  uint32_t chunk = handle__used / HANDLE__CHUNK;
  if (!handle__chunks[chunk])
    handle__chunks[chunk] = calloc(HANDLE__CHUNK, sizeof(handle__slot));
  if (!handle__chunks[chunk]) return NULL;
  *number = handle__used++;
  return &handle__chunks[chunk][*number % HANDLE__CHUNK];
}

winipc_status handle_open(const handle_class *kind, void *object, void *id) {
  uint32_t number = 0;
  AcquireSRWLockExclusive(&handle__lock);
  handle__slot *s = handle__take_slot(&number);
  if (s) {
    s->object = object;
    s->kind = kind;
    uint32_t generation = handle__generation(s->state) + 1;
    if (!generation) generation = 1;
    InterlockedExchange64(&s->state,
                          (LONG64)((uint64_t)generation << 32 | HANDLE__OPEN));
    *(void **)id = handle__id(number, s);
  }
  ReleaseSRWLockExclusive(&handle__lock);
  return s ? WINIPC_OK : status_no_memory();
}

static handle__slot *handle__change(const void *id, const handle_class *kind,
                                    LONG64 change) {
  handle__slot *s = handle__slot_of(id);
  if (!s) return NULL;
  LONG64 state = s->state;
  while (handle__matches(id, state, s, kind)) {
    LONG64 seen = InterlockedCompareExchange64(&s->state, state + change, state);
    if (seen == state) return s;
    state = seen;
  }
  return NULL;
}

void *handle_acquire(const void *id, const handle_class *kind) {
  handle__slot *s = handle__change(id, kind, 1);
  if (s) return s->object;
  handle__refuse(kind);
  return NULL;
}

static void handle__wake_closer(void) {
  AcquireSRWLockExclusive(&handle__lock); /* it is asleep, or not yet */
  ReleaseSRWLockExclusive(&handle__lock);
  WakeAllConditionVariable(&handle__left);
}

void handle_release(const void *id) {
  handle__slot *s = handle__slot_of(id);
  LONG64 state = InterlockedDecrement64(&s->state);
  if ((state & HANDLE__CLOSING) && !(state & HANDLE__REFERENCES)) handle__wake_closer();
}

/* The first look keeps a stale id from disturbing whoever has the slot now. Of the
 * second look, behind the exchange, and the closer's look at the ways, behind its
 * change of the state, one sees the other. */
winipc_status handle_enter(const void *id, const handle_class *kind, handle_way way,
                           void *object) {
  handle__slot *s = handle__slot_of(id);
  if (!s || !handle__matches(id, s->state, s, kind)) return handle__refuse(kind);
  if (atomic_exchange(&s->ways[way], 1)) return WINIPC_E_BUSY;
  LONG64 state = atomic_load((_Atomic LONG64 *)(uintptr_t)&s->state);
  if (handle__matches(id, state, s, kind)) {
    *(void **)object = s->object;
    return WINIPC_OK;
  }
  handle_leave(id, way);
  return handle__refuse(kind);
}

void handle_leave(const void *id, handle_way way) {
  handle__slot *s = handle__slot_of(id);
  atomic_store_explicit(&s->ways[way], 0, memory_order_release);
  if (s->state & HANDLE__CLOSING) handle__wake_closer();
}

const handle_class *handle_class_of(const void *id) {
  return handle__slot_of(id)->kind;
}

/* Who leaves a way may not have seen yet that we are closing, so that nobody wakes us:
 * then we look again. */
static void handle__await_calls(handle__slot *s) {
  AcquireSRWLockExclusive(&handle__lock);
  while ((s->state & HANDLE__REFERENCES) || s->ways[HANDLE_IN] || s->ways[HANDLE_OUT])
    SleepConditionVariableSRW(&handle__left, &handle__lock, HANDLE__LOOK_AGAIN_MS, 0);
  ReleaseSRWLockExclusive(&handle__lock);
}

static void handle__park(handle__slot *s, uint32_t number) {
  AcquireSRWLockExclusive(&handle__lock);
  s->object = (void *)(uintptr_t)number;
  s->next_free = handle__free;
  InterlockedAnd64(&s->state, (LONG64)0xFFFFFFFF00000000u);
  handle__free = s;
  ReleaseSRWLockExclusive(&handle__lock);
}

winipc_status handle_withdraw(const void *id, const handle_class *kind, void **object) {
  handle__slot *s = handle__change(id, kind, HANDLE__CLOSING);
  if (!s) return handle__refuse(kind);
  *object = s->object;
  struct waiters *waiters = kind->waiters ? kind->waiters(s->object) : NULL;
  if (waiters) waiters_close(waiters);
  handle__await_calls(s);
  handle__park(s, handle__slot_number(id));
  return WINIPC_OK;
}

winipc_status handle_close(const void *id, const handle_class *kind) {
  void *object;
  if (!id) return WINIPC_OK;
  winipc_status status = handle_withdraw(id, kind, &object);
  if (!status) kind->destroy(object);
  return status;
}

void handle_table_free(void) {
  for (int i = 1; i < HANDLE__CHUNKS && handle__chunks[i]; i++) free(handle__chunks[i]);
}

winipc_status WINIPC_CALL winipc_native_handle(const void *object, void **handle) {
  if (!handle) return status_fail(WINIPC_E_INVALID_ARGUMENT, "handle is NULL");
  *handle = NULL;
  void *o = handle_acquire(object, NULL);
  if (!o) return WINIPC_E_INVALID_HANDLE;
  const handle_class *kind = handle_class_of(object);
  if (kind->native) *handle = kind->native(o);
  handle_release(object);
  return *handle
             ? WINIPC_OK
             : status_fail(WINIPC_E_UNSUPPORTED, "%s has no native handle", kind->name);
}

winipc_status WINIPC_CALL winipc_cancel(const void *object) {
  void *o = handle_acquire(object, NULL);
  if (!o) return WINIPC_E_INVALID_HANDLE;
  const handle_class *kind = handle_class_of(object);
  if (kind->waiters) waiters_cancel(kind->waiters(o), WINIPC_E_CANCELLED);
  handle_release(object);
  return WINIPC_OK;
}
