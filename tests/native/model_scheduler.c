#include "model.h"

#include <setjmp.h>
#include <ucontext.h>

enum { THREADS = 3, STACK = 1 << 17, DEPTH = 1000, BUFFER = 12, RANGES = 16 };
enum { MOST_STATES = 1 << 23 };

typedef enum kind { LOAD, STORE, FENCE, SIGNAL, SLEEP, END } kind;

typedef struct store {
  uint64_t *at, value;
} store;

typedef struct thread {
  ucontext_t context; /* to begin with; then the much faster jump */
  jmp_buf jump;
  bool begun;
  char *stack;
  void (*body)(void);
  kind pending;
  uint64_t *at, value; /* of the pending step, and its result */
  int event;
  uint64_t history;
  store buffer[BUFFER];
  int buffered;
} thread;

static thread threads[THREADS];
static int count, running = -1, memory;
static ucontext_t nowhere;
static jmp_buf scheduler;
static bool events[MODEL_EVENTS];
static struct range {
  void *at;
  size_t size;
} ranges[RANGES];
static int range_count;

static struct choice {
  int taken, of;
} path[DEPTH];
static int depth, known; /* of the path: now, and given by the last run */
static uint64_t *seen;   /* a hash table of states */
static uint64_t states, runs;

void model_share(void *at, size_t size) {
  ranges[range_count++] = (struct range){at, size};
}

/* ------------------------------ inside the threads ------------------------------ */

static uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

static thread *self(void) {
  return &threads[running];
}

static void note(thread *t, kind k, const void *at, uint64_t value) {
  t->history = mix(mix(mix(t->history, k), (uintptr_t)at), value);
}

static uint64_t step(kind k, const void *at, uint64_t value, int event) {
  thread *t = self();
  t->pending = k;
  t->at = (uint64_t *)(uintptr_t)at;
  t->value = value;
  t->event = event;
  if (!_setjmp(t->jump)) _longjmp(scheduler, 1);
  t = self();
  note(t, k, at, t->value + (uint64_t)event);
  return t->value;
}

uint64_t ring_model_load(const void *at) {
  if (running < 0) return *(const uint64_t *)at;
  thread *t = self();
  for (int i = t->buffered; i-- > 0;)
    if (t->buffer[i].at == at) return t->buffer[i].value;
  return step(LOAD, at, 0, 0);
}

void ring_model_store(void *at, uint64_t value) {
  if (running < 0) {
    *(uint64_t *)at = value;
    return;
  }
  thread *t = self();
  if (memory == MODEL_TSO && t->buffered < BUFFER) {
    t->buffer[t->buffered++] = (store){at, value}; /* seen by nobody: no step */
    note(t, STORE, at, value);
  } else
    step(STORE, at, value, 0);
}

void ring_model_fence(void) {
  if (running >= 0 && memory == MODEL_TSO) step(FENCE, NULL, 0, 0);
}

void model_signal(int event) {
  step(SIGNAL, NULL, 0, event);
}

void model_sleep(int event) {
  step(SLEEP, NULL, 0, event);
}

/* The first and the last word are steps; what lies between goes with the last. */
void ring_model_copy(void *to, const void *from, size_t size, bool in) {
  for (size_t i = 0; i < size; i += 8) {
    uint64_t word = 0;
    bool edge = !i || i + 8 >= size;
    size_t left = size - i < 8 ? size - i : 8;
    char *target = (char *)to + i;
    const char *source = (const char *)from + i;
    if (in) {
      memcpy(&word, source, left);
      if (edge)
        ring_model_store(target, word);
      else
        *(uint64_t *)(void *)target = word;
    } else {
      word = edge ? ring_model_load(source) : *(const uint64_t *)(const void *)source;
      memcpy(target, &word, left);
    }
  }
}

static void thread_main(void) {
  self()->body();
  for (;;) step(END, NULL, 0, 0);
}

/* --------------------------------- the scheduler --------------------------------- */

static void resume(int i) {
  running = i;
  if (!_setjmp(scheduler)) {
    if (threads[i].begun) _longjmp(threads[i].jump, 1);
    threads[i].begun = true;
    swapcontext(&nowhere, &threads[i].context);
  }
  running = -1;
}

static void start(const model_scenario *scenario) {
  range_count = 0;
  memset(events, 0, sizeof events);
  scenario->setup();
  for (count = 0; count < THREADS && scenario->threads[count]; count++) {
    thread *t = &threads[count];
    if (!t->stack) t->stack = malloc(STACK);
    getcontext(&t->context);
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = STACK;
    t->context.uc_link = NULL;
    t->body = scenario->threads[count];
    t->history = (uint64_t)count;
    t->buffered = 0;
    t->begun = false;
    makecontext(&t->context, thread_main, 0);
  }
  for (int i = 0; i < count; i++) resume(i);
}

static bool can_step(const thread *t) {
  switch (t->pending) {
  case LOAD:
    return true;
  case STORE:
    return !t->buffered || memory == MODEL_SC; /* a full buffer drains */
  case FENCE:
  case SIGNAL:
    return !t->buffered;
  case SLEEP:
    return !t->buffered && events[t->event];
  default:
    return false;
  }
}

static void drain_one(thread *t) {
  *t->buffer[0].at = t->buffer[0].value;
  memmove(t->buffer, t->buffer + 1, (size_t)--t->buffered * sizeof *t->buffer);
}

static void do_step(thread *t) {
  if (t->pending == LOAD) t->value = *t->at;
  if (t->pending == STORE) *t->at = t->value;
  if (t->pending == SIGNAL) events[t->event] = true;
  if (t->pending == SLEEP) events[t->event] = false;
  resume((int)(t - threads));
}

static uint64_t state_hash(void) {
  uint64_t hash = 1;
  for (int r = 0; r < range_count; r++)
    for (size_t i = 0; i < ranges[r].size; i += 8)
      hash = mix(hash, *(uint64_t *)(void *)((char *)ranges[r].at + i));
  for (int i = 0; i < count; i++) {
    const thread *t = &threads[i];
    hash = mix(mix(mix(hash, t->history), t->pending), (uint64_t)t->buffered);
    for (int b = 0; b < t->buffered; b++)
      hash = mix(mix(hash, (uintptr_t)t->buffer[b].at), t->buffer[b].value);
  }
  for (int e = 0; e < MODEL_EVENTS; e++) hash = mix(hash, events[e]);
  return hash ? hash : 1;
}

static bool is_new(uint64_t hash) {
  uint64_t i = hash % MOST_STATES;
  for (; seen[i]; i = (i + 1) % MOST_STATES)
    if (seen[i] == hash) return false;
  seen[i] = hash;
  if (++states > MOST_STATES / 2) printf("  too many states\n"), exit(2);
  return true;
}

static int choose(int of) {
  if (depth == DEPTH) printf("  too deep\n"), exit(2);
  if (depth == known) path[known++] = (struct choice){0, of};
  return path[depth++].taken;
}

/* One schedule to its end; false if its end is known already. */
static bool run_once(const model_scenario *scenario) {
  int options[2 * THREADS], taken;
  runs++;
  depth = 0;
  for (start(scenario);;) {
    int n = 0;
    bool fresh = depth == known;
    for (int i = 0; i < count; i++) {
      if (can_step(&threads[i])) options[n++] = i;
      if (threads[i].buffered) options[n++] = THREADS + i;
    }
    if (!n) return true;
    if (n > 1) {
      if (fresh && !is_new(state_hash())) return false;
      taken = options[choose(n)];
    } else
      taken = options[0];
    if (taken >= THREADS)
      drain_one(&threads[taken - THREADS]);
    else
      do_step(&threads[taken]);
  }
}

static bool next_path(void) {
  while (known && path[known - 1].taken + 1 == path[known - 1].of) known--;
  if (!known) return false;
  path[known - 1].taken++;
  return true;
}

static void check_end(const model_scenario *scenario) {
  for (int i = 0; i < count; i++) CHECK(threads[i].pending == END);
  if (scenario->end && !red) scenario->end();
}

void model_explore(const model_scenario *scenario, int model) {
  memory = model;
  known = 0;
  states = runs = 0;
  red = false;
  if (!seen) seen = malloc(MOST_STATES * sizeof *seen);
  memset(seen, 0, MOST_STATES * sizeof *seen);
  do
    if (run_once(scenario)) check_end(scenario);
  while (!red && next_path());
  *(red ? &failed : &passed) += 1;
  printf("%s %s %s (%llu states, %llu schedules)\n", red ? "FAILED" : "ok    ",
         scenario->name, model == MODEL_TSO ? "TSO" : "SC", (unsigned long long)states,
         (unsigned long long)runs);
  fflush(stdout);
}
