/* The little that the native tests share. */
#ifndef CHECK_H
#define CHECK_H

#include "channel/ring.h"

#include <stdio.h>
#include <stdlib.h>

static int passed, failed;
static _Atomic bool red; /* in the running test */

#define CHECK(condition)                                                 \
  do {                                                                   \
    if (!(condition)) {                                                  \
      if (!red) printf("  %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      red = true;                                                        \
    }                                                                    \
  } while (0)

static inline void run(const char *name, void (*test)(void)) {
  red = false;
  test();
  *(red ? &failed : &passed) += 1;
  printf("%s %s\n", red ? "FAILED" : "ok    ", name);
  fflush(stdout);
}
#define RUN(test) run(#test, test)

static inline int summary(void) {
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}

/* A small generator, so that a seed gives the same run everywhere [xorshift64*]. */
static inline uint64_t random_next(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 0x2545F4914F6CDD1Du;
}

/* Message number `n`: its size and every byte follow from the number. */
static inline void fill(char *to, uint64_t size, uint64_t n) {
  uint64_t state = n * 2654435761u + 1;
  for (uint64_t i = 0; i < size; i += 8) {
    uint64_t value = random_next(&state), left = size - i < 8 ? size - i : 8;
    memcpy(to + i, &value, left);
  }
  if (size >= 8) memcpy(to, &n, 8);
}

static inline bool is_filled(const char *bytes, uint64_t size, uint64_t n) {
  uint64_t state = n * 2654435761u + 1;
  for (uint64_t i = 0; i < size; i += 8) {
    uint64_t value = random_next(&state), left = size - i < 8 ? size - i : 8;
    if (!i && left == 8) value = n;
    if (memcmp(bytes + i, &value, left)) return false;
  }
  return true;
}

#endif
