#include "channel/spin.h"

enum {
  SPIN__LIMIT_US = 200,   /* longer than a wake-up takes, so that two sleepers meet */
  SPIN__HOT_POLLS = 100,  /* without a pause, which is longer than a cache line takes */
  SPIN__CLOCK_POLLS = 32, /* the clock costs more than a poll */
  SPIN__YIELD_POLLS = 512, /* then others who want the processor may have it */
  SPIN__MISSES = 3,        /* before we poll less */
  SPIN__HALVES = 8,        /* before we do not poll at all */
  SPIN__PROBE = 16         /* waits between two that poll all the same */
};

static uint64_t spin__now(void) {
  LARGE_INTEGER now;
  QueryPerformanceCounter(&now);
  return (uint64_t)now.QuadPart;
}

static uint64_t spin__ticks(uint64_t us) {
  LARGE_INTEGER frequency;
  QueryPerformanceFrequency(&frequency);
  return us * (uint64_t)frequency.QuadPart / 1000000;
}

/* To poll is to keep the peer from running where there is one processor for both. */
static bool spin__alone(void) {
  DWORD_PTR ours, all;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &ours, &all)) return false;
  return ours && !(ours & (ours - 1));
}

void spin_init(spin *s, uint32_t limit_us) {
  if (limit_us == WINIPC_SPIN_AUTO) limit_us = SPIN__LIMIT_US;
  if (spin__alone()) limit_us = 0;
  *s = (spin){.limit = spin__ticks(limit_us), .wakeup = UINT64_MAX};
}

static uint64_t spin__budget(const spin *s) {
  if (s->misses < SPIN__MISSES || s->misses % SPIN__PROBE == 0) return s->limit;
  uint32_t halves = s->misses - SPIN__MISSES + 1;
  return halves < SPIN__HALVES ? s->limit >> halves : 0;
}

spin_turn spin_begin(const spin *s, const deadline *end) {
  return (spin_turn){.end = end, .budget = spin__budget(s)};
}

bool spin_again(spin_turn *turn) {
  if (!turn->budget) {
    turn->start = spin__now();
    return false;
  }
  if (turn->polls++ < SPIN__HOT_POLLS) return true;
  YieldProcessor();
  if (turn->polls % SPIN__CLOCK_POLLS) return true;
  if (turn->polls > SPIN__YIELD_POLLS) SwitchToThread();
  uint64_t now = spin__now();
  if (!turn->start) turn->start = now;
  return now - turn->start < turn->budget && !deadline_is_over(turn->end);
}

void spin_learn(spin *s, const spin_turn *turn) {
  uint64_t waited = spin__now() - turn->start;
  if (waited < s->wakeup) s->wakeup = waited;
  if (waited - s->wakeup < s->limit)
    s->misses = 0;
  else
    s->misses++;
}
