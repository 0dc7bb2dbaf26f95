/* What the machine allows, in the same run and on the same command line as the peers:
 * a cache line to and fro between two processes, an event to and fro, and copies of
 * messages into a mapping. Nothing carries messages faster than these. */
#include "harness.h"

#include <stdatomic.h>

enum { CACHED = 4, LARGE = 32 };

typedef struct lines {
  _Alignas(128) atomic_uint_fast64_t there;
  atomic_uint_fast64_t back_beside; /* on the same line */
  _Alignas(128) atomic_uint_fast64_t back;
} lines;

typedef struct limit {
  lines *shared;
  atomic_uint_fast64_t *back;
  HANDLE there, answered; /* events */
  char *from, *to;
  uint64_t room;
} limit;

/* ---- to and fro ---- */

static void line_trip(limit *l, uint64_t number) {
  atomic_store_explicit(&l->shared->there, number, memory_order_release);
  while (atomic_load_explicit(l->back, memory_order_acquire) != number)
    YieldProcessor();
}

static uint64_t line_echo(limit *l, uint64_t seen) {
  uint64_t number;
  while ((number = atomic_load_explicit(&l->shared->there, memory_order_acquire)) ==
         seen)
    YieldProcessor();
  atomic_store_explicit(l->back, number, memory_order_release);
  return number;
}

static void event_trip(limit *l, uint64_t number) {
  atomic_store_explicit(&l->shared->there, number, memory_order_relaxed);
  if (!SetEvent(l->there) || WaitForSingleObject(l->answered, INFINITE))
    broken("SetEvent, WaitForSingleObject");
}

static uint64_t event_echo(limit *l, uint64_t seen) {
  (void)seen;
  if (WaitForSingleObject(l->there, INFINITE)) broken("WaitForSingleObject");
  uint64_t number = atomic_load_explicit(&l->shared->there, memory_order_relaxed);
  SetEvent(l->answered);
  return number;
}

static void measure_trips(limit *l, void (*trip)(limit *, uint64_t), uint32_t ms) {
  uint64_t time = (uint64_t)(1000.0 * ms * ticks_a_us()), number = 1, before, now;
  uint64_t warm = ticks() + time / 10;
  while ((before = ticks()) < warm) trip(l, number++);
  do {
    trip(l, number++);
    now = ticks();
    if (!add_sample((uint32_t)(now - before))) break;
    before = now;
  } while (now < warm + time);
  trip(l, number | LAST);
  report_trips();
}

static void bounce(limit *l, const job *j, void (*trip)(limit *, uint64_t),
                   uint64_t (*echo)(limit *, uint64_t)) {
  if (!j->serves) {
    measure_trips(l, trip, j->milliseconds);
    return;
  }
  for (uint64_t number = 0; !(number & LAST);) number = echo(l, number);
  printf("{}\n");
}

static void bounce_line(void *link, const job *j) {
  bounce((limit *)link, j, line_trip, line_echo);
}

static void bounce_event(void *link, const job *j) {
  bounce((limit *)link, j, event_trip, event_echo);
}

/* ---- copies ---- */

static void measure_copies(limit *l, const job *j) {
  uint64_t time = (uint64_t)(1000.0 * j->milliseconds * ticks_a_us());
  uint64_t begun = 0, now = 0, copies = 1;
  for (int lap = 0; lap < 2 || now < begun + time; lap++) {
    if (lap == 1) begun = ticks(); /* the first lap brings the pages */
    for (uint64_t at = 0; at < l->room; at += j->size, copies += lap > 0)
      memcpy(l->to + at, l->from, j->size);
    now = ticks();
  }
  report_stream(copies, begun, now);
}

static void copy(void *link, const job *j) {
  if (j->serves)
    printf("{}\n");
  else
    measure_copies((limit *)link, j);
}

/* ---- meeting ---- */

static void *mapping(const job *j, const char *what, uint64_t size) {
  char name[128];
  snprintf(name, sizeof name, "%s-%s", j->name, what);
  HANDLE handle = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                     (DWORD)size, name);
  void *view = handle ? MapViewOfFile(handle, FILE_MAP_WRITE, 0, 0, 0) : NULL;
  if (!view) broken("a mapping");
  return view;
}

static HANDLE event(const job *j, const char *what) {
  char name[128];
  snprintf(name, sizeof name, "%s-%s", j->name, what);
  HANDLE made = CreateEventA(NULL, FALSE, FALSE, name);
  if (!made) broken("CreateEvent");
  return made;
}

static limit *open_limit(const job *j, int slots) {
  limit *l = (limit *)calloc(1, sizeof *l);
  l->shared = (lines *)mapping(j, "lines", sizeof *l->shared);
  l->back = &l->shared->back;
  l->there = event(j, "there");
  l->answered = event(j, "answered");
  if (slots) {
    l->room = (uint64_t)slots * j->size;
    l->from = new_message(j->size);
    l->to = (char *)mapping(j, "copies", l->room);
  }
  return l;
}

static void *open_one_line(const job *j) {
  limit *l = open_limit(j, 0);
  l->back = &l->shared->back_beside;
  return l;
}

static void *open_lines(const job *j) {
  return open_limit(j, 0);
}

static void *open_cached(const job *j) {
  return open_limit(j, CACHED);
}

static void *open_large(const job *j) {
  return open_limit(j, LARGE);
}

static void *same_link(void *server, const job *j) {
  (void)j;
  return server;
}

#define LIMIT(title, open, measure) \
  {.name = title, .serve = open, .accept = same_link, .join = open, .run = measure}

static const peer peers[] = {
    LIMIT("line", open_one_line, bounce_line), LIMIT("lines", open_lines, bounce_line),
    LIMIT("event", open_lines, bounce_event),  LIMIT("memcpy", open_cached, copy),
    LIMIT("memcpy_large", open_large, copy),
};

int main(int words, char **arguments) {
  return harness_main(peers, sizeof peers / sizeof *peers, words, arguments);
}
