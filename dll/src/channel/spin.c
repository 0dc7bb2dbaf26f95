#include "channel/spin.h"

enum {
  SPIN__LIMIT_US = 200,   /* longer than a wake-up takes, so that two sleepers meet */
  SPIN__HOT_POLLS = 100,  /* without a pause, which is longer than a cache line takes */
  SPIN__CLOCK_POLLS = 32, /* the clock costs more than a poll */
  SPIN__LEAST_US = 1
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
  s->limit = s->budget = spin__ticks(limit_us);
  s->wakeup = UINT64_MAX;
}

bool spin_again(const spin *s, spin_turn *turn) {
  if (!s->budget) {
    turn->start = spin__now();
    return false;
  }
  if (turn->polls++ < SPIN__HOT_POLLS) return true;
  YieldProcessor();
  if (turn->polls % SPIN__CLOCK_POLLS) return true;
  uint64_t now = spin__now();
  if (!turn->start) turn->start = now;
  return now - turn->start < s->budget && !deadline_is_over(turn->end);
}

void spin_learn(spin *s, const spin_turn *turn) {
  uint64_t waited = spin__now() - turn->start;
  if (waited < s->wakeup) s->wakeup = waited;
  if (waited - s->wakeup < s->limit)
    s->budget = s->limit;
  else
    s->budget = s->budget > spin__ticks(SPIN__LEAST_US) ? s->budget / 2 : 0;
}
