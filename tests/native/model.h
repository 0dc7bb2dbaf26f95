/* Runs a few threads in every order of their accesses to shared memory.
 *
 * Built with RING_MODEL, each access of the ring is a step of a scheduler, which
 * explores all schedules, depth first, by running the threads again from the start for
 * each. A thread depends on nothing but what it has read; so two moments with the same
 * memory, the same reads and writes of each thread and the same store buffers have the
 * same future, and the second is cut off.
 *
 * In the TSO model each thread has a store buffer as x64 processors have: what it
 * stores is seen by itself at once and by others at some later step, in order; a full
 * fence, and every call of the system, waits until the buffer is empty. */
#ifndef MODEL_H
#define MODEL_H

#include "check.h"

enum { MODEL_SC, MODEL_TSO };
enum { MODEL_EVENTS = 6 };

typedef struct model_scenario {
  const char *name;
  void (*setup)(void); /* alone, before the threads */
  void (*threads[3])(void);
  void (*end)(void); /* alone, after them; may be NULL */
} model_scenario;

/* Memory that belongs to the state. */
void model_share(void *at, size_t size);

/* Automatically reset events: inside threads only. */
void model_signal(int event);
void model_sleep(int event);

/* Explores; red if a CHECK fails in any schedule, or if all that are left sleep. */
void model_explore(const model_scenario *scenario, int memory);

#endif
