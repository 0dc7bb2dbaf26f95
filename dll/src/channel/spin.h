/* How long to look out for a peer before going to sleep.
 *
 * A sleep and the wake-up out of it cost much more than a message. So a wait begins by
 * polling, up to a limit. When the peer did not come within it several times in a row,
 * each wait polls half as long as the one before, until a quiet channel does not poll
 * at all; but every so often one wait polls up to the limit again, since of two who
 * have come to sleep and to wake each other in turn, one has to be awake when the other
 * answers. A wait that only the wake-up itself made longer than the limit counts as a
 * short one. (After the competitive spinning of Karlin, Li, Manasse and Owicki,
 * "Empirical studies of competitive spinning".)
 *
 *   spin_turn turn = spin_begin(&s, end);
 *   do if (ready()) return spin_hit(&s); while (spin_again(&turn));
 *   sleep();
 *   spin_learn(&s, &turn); */
#ifndef WINIPC_SPIN_H
#define WINIPC_SPIN_H

#include "core/wait.h"
#include "core/win.h"

/* Times are ticks of the performance counter. */
typedef struct spin {
  uint64_t limit;
  uint64_t wakeup; /* the shortest wait that was slept through */
  uint32_t misses; /* waits in a row in which polling was in vain */
} spin;

typedef struct spin_turn {
  const deadline *end;
  uint64_t budget;
  uint64_t start; /* 0: not looked at the clock yet */
  uint32_t polls;
} spin_turn;

/* WINIPC_SPIN_AUTO stands for a limit that suits the system. */
void spin_init(spin *s, uint32_t limit_us);

/* A wait begins. */
spin_turn spin_begin(const spin *s, const deadline *end);

/* True: look again. False: the time is over, or that of the call; sleep. */
bool spin_again(spin_turn *turn);

/* The peer came before we slept. */
static inline void spin_hit(spin *s) {
  s->misses = 0;
}

/* After a sleep. */
void spin_learn(spin *s, const spin_turn *turn);

#endif
