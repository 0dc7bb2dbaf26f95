/* How long to look out for a peer before going to sleep.
 *
 * A sleep and the wake-up out of it cost much more than a message. So a wait begins by
 * polling, for a while that learns from how long the waits before took: as long as the
 * peer tends to come within the limit, up to the limit; when it does not, half as long
 * each time, until a quiet channel does not poll at all. A wait that the wake-up itself
 * made longer than the limit counts as a short one, or two sleepers that answer each
 * other would never get out of it. (After the competitive spinning of Karlin, Li,
 * Manasse and Owicki, "Empirical studies of competitive spinning".)
 *
 *   spin_turn turn = spin_begin(end);
 *   do if (ready()) return; while (spin_again(&s, &turn));
 *   sleep();
 *   spin_learn(&s, &turn); */
#ifndef WINIPC_SPIN_H
#define WINIPC_SPIN_H

#include "core/wait.h"
#include "core/win.h"

/* Times are ticks of the performance counter. */
typedef struct spin {
  uint64_t limit;
  uint64_t budget; /* of the next wait; at most the limit */
  uint64_t wakeup; /* the shortest wait that was slept through */
} spin;

typedef struct spin_turn {
  const deadline *end;
  uint64_t start; /* 0: not looked at the clock yet */
  uint32_t polls;
} spin_turn;

/* WINIPC_SPIN_AUTO stands for a limit that suits the system. */
void spin_init(spin *s, uint32_t limit_us);

static inline spin_turn spin_begin(const deadline *end) {
  return (spin_turn){end, 0, 0};
}

/* True: look again. False: the time is over, or that of the call; sleep. */
bool spin_again(const spin *s, spin_turn *turn);

/* After a sleep. */
void spin_learn(spin *s, const spin_turn *turn);

#endif
