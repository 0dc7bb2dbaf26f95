/* Threads that really run at once: every message is checked for order, tear and loss.
 */
#include "check.h"

#include <pthread.h>
#include <unistd.h>

enum { READERS = 4, MOST = 200000 };

/* An automatically reset event. */
typedef struct event {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool set;
} event;

static void event_set(event *e) {
  pthread_mutex_lock(&e->lock);
  e->set = true;
  pthread_cond_signal(&e->changed);
  pthread_mutex_unlock(&e->lock);
}

static void event_wait(event *e) {
  pthread_mutex_lock(&e->lock);
  while (!e->set) pthread_cond_wait(&e->changed, &e->lock);
  e->set = false;
  pthread_mutex_unlock(&e->lock);
}

typedef enum policy { BLOCK, DROP, OVERWRITE } policy;

static struct {
  policy policy;
  uint64_t seed, count, capacity, features;
  uint64_t largest; /* in ring lengths, times 4 */
  int readers;
  bool slow;
} plan;

static _Alignas(4096) char data[RING_HEADER_SIZE + (1 << 16)];
static _Alignas(4096) ring_control controls[READERS];
static ring_peer peers[READERS];
static ring_writer writer;
static ring_reader readers[READERS];
static event space, there[READERS];
static uint64_t told_lost[READERS];

/* ---------------------------------- the writer ---------------------------------- */

static uint64_t size_of(uint64_t n) {
  uint64_t state = n * 7919 + plan.seed + 1, kind = random_next(&state) % 16;
  uint64_t limit = ring_inline_most(plan.capacity, plan.features);
  if (kind < 8) return random_next(&state) % 40;
  if (kind < 15) return random_next(&state) % (limit + 1);
  return random_next(&state) % (plan.capacity * plan.largest / 4 + 1);
}

static void wake_readers(void) {
  uint32_t indices[READERS], count = ring_writer_sleepers(&writer, indices, READERS);
  for (uint32_t i = 0; i < count; i++) event_set(&there[indices[i]]);
}

static void wait_for_space(void) {
  wake_readers();
  if (!ring_writer_prepare_wait(&writer)) return;
  event_wait(&space);
  ring_writer_end_wait(&writer);
}

/* Some are given up: they count as lost. */
static void send_pieces(const char *bytes, uint64_t size, uint64_t *state) {
  uint64_t given = 0, taken;
  CHECK(!ring_writer_begin(&writer, size));
  do {
    uint64_t piece = size ? 1 + random_next(state) % (size - given) : 0;
    ring_status status = ring_writer_append(&writer, bytes + given, piece, &taken);
    given += taken;
    CHECK(status == RING_OK || status == RING_WOULD_BLOCK);
    if (random_next(state) % 64 == 0 && given < size) {
      ring_writer_abandon(&writer);
      if (!given) ring_writer_drop(&writer); /* nobody has seen anything of it */
      return;
    }
    if (status == RING_WOULD_BLOCK) wait_for_space();
    wake_readers();
  } while (given < size && !red);
}

static ring_status send_loan(const char *bytes, uint64_t size, uint64_t *state) {
  void *place;
  ring_status status = ring_writer_reserve(&writer, size, &place);
  if (status) return status;
  memcpy(place, bytes, size);
  status = random_next(state) % 2 ? ring_writer_stage(&writer, size)
                                  : ring_writer_commit(&writer, size);
  return status;
}

static ring_status send_whole(const char *bytes, uint64_t size, uint64_t *state) {
  ring_part parts[2] = {{bytes, size / 3}, {bytes + size / 3, size - size / 3}};
  if (plan.policy != OVERWRITE && random_next(state) % 2)
    return send_loan(bytes, size, state);
  return ring_writer_try_send(&writer, parts, 2);
}

static void send(uint64_t n, policy how, uint64_t *state) {
  static char bytes[MOST];
  uint64_t size = size_of(n);
  fill(bytes, size, n);
  for (;;) {
    ring_status status = send_whole(bytes, size, state);
    if (status == RING_TOO_LARGE) {
      send_pieces(bytes, size, state);
      return;
    }
    if (!status) break;
    CHECK(status == RING_WOULD_BLOCK && how != OVERWRITE);
    if (red) return;
    if (how == DROP) {
      ring_writer_drop(&writer);
      return;
    }
    wait_for_space();
  }
}

static void *write_all(void *unused) {
  uint64_t state = plan.seed + 17;
  for (uint64_t n = 0; n < plan.count; n++) {
    send(n, plan.policy, &state);
    if (random_next(&state) % 8) {
      ring_writer_publish(&writer);
      wake_readers();
    }
    if (plan.slow && random_next(&state) % 256 == 0) usleep(100);
  }
  ring_writer_publish(&writer);
  uint64_t end = UINT64_MAX;
  ring_part last = {&end, 7};
  while (ring_writer_try_send(&writer, &last, 1) == RING_WOULD_BLOCK) wait_for_space();
  wake_readers();
  return unused;
}

/* ---------------------------------- the readers ---------------------------------- */

static ring_status take_loan(ring_reader *r, char *buffer, ring_message *m) {
  ring_status status = ring_reader_peek(r, m);
  if (status) return status;
  if (m->more || m->offset) return ring_reader_receive(r, buffer, MOST, m);
  memcpy(buffer, m->data, m->size);
  return ring_reader_release(r);
}

static bool is_message(const char *bytes, const ring_message *m, uint64_t due) {
  if (due == plan.count) return m->total == 7 && !memcmp(bytes, "\xFF\xFF\xFF", 3);
  return m->total == size_of(due) && is_filled(bytes, m->total, due);
}

static void sleep_reader(int i) {
  if (!ring_reader_prepare_wait(&readers[i])) return;
  event_wait(&there[i]);
  ring_reader_end_wait(&readers[i]);
}

static void *read_all(void *argument) {
  int i = (int)(intptr_t)argument;
  ring_reader *r = &readers[i];
  char *buffer = malloc(MOST);
  uint64_t due = 0, state = plan.seed + (uint64_t)i + 99;
  bool loans = plan.policy != OVERWRITE;
#ifndef RING__COPY_ATOMICALLY
  loans = true; /* a loan that is overrun is a race on purpose */
#endif
  while (due <= plan.count && !red) {
    ring_message m;
    ring_status status = loans && !r->open && random_next(&state) % 2
                             ? take_loan(r, buffer, &m)
                             : ring_reader_receive(r, buffer, MOST, &m);
    CHECK(status == RING_OK || status == RING_EMPTY || status == RING_AGAIN ||
          status == RING_OVERRUN);
    if (ring_reader_wakes_writer(r)) event_set(&space);
    if (status == RING_EMPTY) sleep_reader(i);
    if (status) continue;
    due += m.lost;
    told_lost[i] += m.lost;
    CHECK(is_message(buffer, &m, due));
    due++;
    if (plan.slow && random_next(&state) % 128 < (uint64_t)i + 1) usleep(200u << i);
  }
  free(buffer);
  return NULL;
}

/* ------------------------------------ the runs ------------------------------------ */

static void open_ring(void) {
  uint32_t index;
  uint64_t start, size = RING_HEADER_SIZE + plan.capacity;
  memset(controls, 0, sizeof controls);
  memset(told_lost, 0, sizeof told_lost);
  CHECK(!ring_writer_init(&writer, data, size, plan.features, peers, READERS));
  for (int i = 0; i < plan.readers; i++) {
    CHECK(!ring_writer_admit(&writer, &controls[i], &index, &start));
    CHECK(!ring_reader_attach(&readers[i], data, size, &controls[i], start));
    there[i] = (event){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
  }
  space = (event){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
}

static void run_plan(void) {
  pthread_t ends[READERS + 1];
  open_ring();
  for (int i = 0; i < plan.readers; i++)
    pthread_create(&ends[i], NULL, read_all, (void *)(intptr_t)i);
  pthread_create(&ends[plan.readers], NULL, write_all, NULL);
  for (int i = 0; i <= plan.readers; i++) pthread_join(ends[i], NULL);
}

static uint64_t messages = 20000, first_seed = 1;

static void all_capacities(policy how, uint64_t features, int reader_count, bool slow) {
  for (uint64_t capacity = 256; capacity <= 1 << 16 && !red; capacity *= 16) {
    plan.policy = how;
    plan.seed = first_seed + capacity;
    plan.count = slow || reader_count > 1 ? messages / 4 : messages;
    plan.capacity = capacity;
    plan.features = features;
    plan.largest = how == OVERWRITE ? 2 : 8;
    plan.readers = reader_count;
    plan.slow = slow;
    run_plan();
    if (red) printf("  capacity %d, seed %d\n", (int)capacity, (int)first_seed);
  }
}

static void one_reader_waits_and_blocks(void) {
  all_capacities(BLOCK, 0, 1, false);
}
static void one_reader_with_pauses(void) {
  all_capacities(BLOCK, RING_SEQUENCE | RING_TIME | RING_TAG, 1, true);
}
static void the_newest_are_dropped(void) {
  all_capacities(DROP, 0, 1, true);
  CHECK(told_lost[0] >= writer.dropped);
}
static void the_oldest_are_overwritten(void) {
  all_capacities(OVERWRITE, RING_OVERWRITE, 1, false);
}
static void four_readers_hold_the_writer(void) {
  all_capacities(BLOCK, RING_TAG, READERS, true);
}
static void four_readers_are_overrun(void) {
  all_capacities(OVERWRITE, RING_OVERWRITE | RING_TIME, READERS, true);
  printf("  lost by each: %d %d %d %d\n", (int)told_lost[0], (int)told_lost[1],
         (int)told_lost[2], (int)told_lost[3]);
}

/* threads [MESSAGES [SEED]] */
int main(int argc, char **argv) {
  if (argc > 1) messages = strtoull(argv[1], NULL, 0);
  if (argc > 2) first_seed = strtoull(argv[2], NULL, 0);
  alarm(300); /* a lost wake-up ends here */
  RUN(one_reader_waits_and_blocks);
  RUN(one_reader_with_pauses);
  RUN(the_newest_are_dropped);
  RUN(the_oldest_are_overwritten);
  RUN(four_readers_hold_the_writer);
  RUN(four_readers_are_overrun);
  return summary();
}
