/* The other side writes whatever it likes, whenever it likes. No crash, no access
 * outside the blocks (they lie between guard pages), no harm to a third party; and the
 * victim notices in the end.
 *
 * With RING_MODEL each access of the victim is a step of its own: any load from foreign
 * memory may give something else than the one before. Without, a thread scribbles. */
#define _GNU_SOURCE
#include "check.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CAPACITY = 4096, PAGE = 4096, READERS = 2 };
enum { DATA_SIZE = RING_HEADER_SIZE + CAPACITY };

static uint64_t rounds = 300000, first_seed = 1;

/* A block that the victim sees read-only, between pages that nobody may touch. */
typedef struct block {
  char *foreign; /* where its owner writes */
  char *ours;
  size_t size;
} block;

static char *guarded(int file, size_t size, int access) {
  char *all =
      mmap(NULL, size + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *at = mmap(all + PAGE, size, access, MAP_SHARED | MAP_FIXED, file, 0);
  if (all == MAP_FAILED || at == MAP_FAILED) perror("mmap"), exit(2);
  return at;
}

static block make_block(size_t size) {
  block b = {.size = size};
  int file = memfd_create("ring", 0);
  if (file < 0 || ftruncate(file, (off_t)size)) perror("memfd"), exit(2);
  b.foreign = guarded(file, size, PROT_READ | PROT_WRITE);
  b.ours = guarded(file, size, PROT_READ);
  close(file);
  return b;
}

static block data, controls[READERS];
static ring_peer peers[READERS];
static ring_writer writer;
static ring_reader readers[READERS];
static uint64_t corrupt, delivered;

/* Something that looks as if it could be true, or not. */
static uint64_t a_lie(uint64_t *state, uint64_t truth) {
  uint64_t any = random_next(state), small = random_next(state) % 5;
  switch (any >> 60) {
  case 0:
    return any;
  case 1:
    return truth ^ (uint64_t)1 << (any & 63);
  case 2:
    return truth + 8 * small - 16;
  case 3:
    return truth + (any & 63) - 32;
  case 4:
    return any & 0xFFFF;
  case 5:
    return UINT64_MAX - (any & 63);
  case 6:
    return 0;
  case 7:
    return truth + CAPACITY * small - 2 * CAPACITY;
  default: /* a word, with any flags, of about this lap */
    return (any & 0x3FF) | (uint64_t)(RING__PUBLISHED | (any >> 20 & 63)) << 32 |
           (truth >> 40 << 40);
  }
}

/* ------------------------------ single steps ------------------------------ */

#ifdef RING_MODEL
static uint64_t step_state = 1;
static const block *liar; /* whose bytes may change under the victim's eyes */
static unsigned one_in;

uint64_t ring_model_load(const void *at) {
  uint64_t value = *(const uint64_t *)at;
  bool foreign = liar && (const char *)at >= liar->ours &&
                 (const char *)at < liar->ours + liar->size;
  if (foreign && random_next(&step_state) % one_in == 0)
    return a_lie(&step_state, value);
  return value;
}
void ring_model_store(void *at, uint64_t value) {
  *(uint64_t *)at = value;
}
void ring_model_fence(void) {}
void ring_model_copy(void *to, const void *from, size_t size, bool in) {
  (void)in;
  if (size) memcpy(to, from, size);
}
#else
/* ------------------------------ a thread scribbles ------------------------------ */

static _Atomic bool stop;
static ring_word *scribbled;
static size_t scribbled_words;

static void *scribble(void *seed) {
  uint64_t state = (uint64_t)(uintptr_t)seed;
  while (!stop) {
    ring_word *at = &scribbled[random_next(&state) % scribbled_words];
    uint64_t pause = random_next(&state) % 64;
    atomic_store(at, a_lie(&state, atomic_load(at)));
    while (pause--) atomic_load(at);
  }
  return NULL;
}
#endif

/* ----------------------------------- the rings ----------------------------------- */

static void clean(void) {
  memset(data.foreign, 0, DATA_SIZE);
  for (int i = 0; i < READERS; i++) memset(controls[i].foreign, 0, PAGE);
}

/* In tests of the reader the writer's mapping is the foreign one, and vice versa. */
static void open_ring(uint64_t features, bool hostile_writer) {
  uint32_t index;
  uint64_t start = 0;
  clean();
  CHECK(!ring_writer_init(&writer, data.foreign, DATA_SIZE, features, peers, READERS));
  for (int i = 0; i < READERS; i++) {
    const void *seen = hostile_writer ? controls[i].foreign : controls[i].ours;
    CHECK(!ring_writer_admit(&writer, seen, &index, &start));
  }
}

static void attach(int i, bool hostile_writer) {
  const void *seen = hostile_writer ? data.ours : data.foreign;
  CHECK(!ring_reader_attach(&readers[i], seen, DATA_SIZE,
                            (ring_control *)(void *)controls[i].foreign,
                            writer.peers[i].cursor));
}

static void send_any(uint64_t *state) {
  static char bytes[4 * CAPACITY];
  uint64_t size = random_next(state) % 900, taken;
  ring_part part = {bytes, size};
  switch (random_next(state) % 8) {
  case 0:
    ring_writer_begin(&writer, 4 * size);
    ring_writer_append(&writer, bytes, 4 * size, &taken);
    ring_writer_abandon(&writer);
    break;
  case 1:
    ring_writer_drop(&writer);
    break;
  default:
    ring_writer_try_send(&writer, &part, 1);
  }
}

/* Whatever the reader is told must lie inside. */
static ring_status read_any(ring_reader *r, uint64_t *state) {
  ring_message m;
  uint64_t room = random_next(state) % 2000;
  char *buffer = malloc(room ? room : 1);
  ring_status status;
  if (random_next(state) % 2) {
    status = ring_reader_receive(r, buffer, room, &m);
    if (status == RING_TOO_SMALL) status = ring_reader_release(r);
  } else {
    status = ring_reader_peek(r, &m);
    if (!status) {
      const char *at = m.data;
      CHECK(at >= r->records && m.size <= CAPACITY / 4 &&
            at + m.size <= r->records + CAPACITY && m.size <= m.total);
      for (uint64_t i = 0; i < m.size; i++) ((volatile const char *)at)[i];
      status = ring_reader_release(r);
    }
  }
  ring_reader_wakes_writer(r);
  if (ring_reader_prepare_wait(r)) ring_reader_end_wait(r);
  ring_reader_lag(r);
  free(buffer);
  return status;
}

static void lied_to_by_the_writer(uint64_t features) {
  uint64_t state = first_seed;
  corrupt = delivered = 0;
  for (uint64_t i = 0; i < rounds && !red; i++) {
    if (i % 512 == 0 || readers[0].corrupt) {
      open_ring(features, true);
      ring_reader_attach(&readers[0], data.ours, DATA_SIZE,
                         (ring_control *)(void *)controls[0].foreign, 0);
    }
    send_any(&state);
    ring_status status = read_any(&readers[0], &state);
    if (status == RING_OK) delivered++;
    if (status == RING_CORRUPT) corrupt++;
    if (status == RING_CORRUPT) CHECK(readers[0].corrupt); /* and that is final */
  }
  printf("  %d messages, %d times corrupt\n", (int)delivered, (int)corrupt);
  CHECK(corrupt > rounds / 10000 && delivered > rounds / 1000);
}

/* The first reader lies; the second must get every message whole and in order. */
static void lied_to_by_a_reader(void) {
  uint64_t sent = 0, got = 0, begun = 0;
  char bytes[1000], copy[1000];
  corrupt = 0;
  open_ring(0, false);
  attach(0, false);
  attach(1, false);
  for (uint64_t i = 0; i < rounds && !red; i++) {
    uint64_t size = 8 + sent * 37 % 900;
    uint32_t index, sleepers[2];
    ring_part part = {bytes, size};
    ring_message m;
    fill(bytes, size, sent);
    ring_status status = ring_writer_try_send(&writer, &part, 1);
    if (!status) sent++;
    if (status == RING_WOULD_BLOCK && ring_writer_prepare_wait(&writer))
      ring_writer_end_wait(&writer);
    ring_writer_sleepers(&writer, sleepers, 2);
    if (status == RING_CORRUPT || (status && ++begun % 16 == 0)) {
      corrupt += status == RING_CORRUPT;
      CHECK(status != RING_CORRUPT || writer.culprit == 0);
      ring_writer_dismiss(&writer, 0);
      memset(controls[0].foreign, 0, PAGE);
      CHECK(!ring_writer_admit(&writer, (void *)controls[0].ours, &index,
                               &(uint64_t){0}));
      attach(0, false);
    }
    for (int n = 0; n < 2; n++) {
      status = ring_reader_receive(&readers[1], copy, sizeof copy, &m);
      CHECK(status == RING_OK || status == RING_EMPTY);
      if (status) break;
      CHECK(m.total == 8 + got * 37 % 900 && is_filled(copy, m.total, got));
      got++;
    }
  }
  printf("  %d messages, %d times corrupt\n", (int)got, (int)corrupt);
  CHECK(corrupt > rounds / 10000 && got > rounds / 1000);
}

#ifdef RING_MODEL
static void any_load_lies_to_the_reader(void) {
  liar = &data;
  for (one_in = 4; one_in <= 256 && !red; one_in *= 8) lied_to_by_the_writer(0);
}
static void any_load_lies_to_the_subscriber(void) {
  liar = &data;
  for (one_in = 4; one_in <= 256 && !red; one_in *= 8)
    lied_to_by_the_writer(RING_OVERWRITE | RING_TAG);
}
static void any_load_lies_to_the_writer(void) {
  liar = &controls[0];
  for (one_in = 4; one_in <= 256 && !red; one_in *= 8) lied_to_by_a_reader();
}
#else
static void with_scribbler(const block *b, void (*test)(void)) {
  pthread_t scribbler;
  scribbled = (ring_word *)(void *)b->foreign;
  scribbled_words = b->size / 8;
  stop = false;
  pthread_create(&scribbler, NULL, scribble, (void *)(uintptr_t)(first_seed + 1));
  test();
  stop = true;
  pthread_join(scribbler, NULL);
}
static void as_a_reader(void) {
  lied_to_by_the_writer(RING_TIME);
}
static void as_a_subscriber(void) {
  lied_to_by_the_writer(RING_OVERWRITE);
}
static void a_thread_scribbles_at_the_reader(void) {
  with_scribbler(&data, as_a_reader);
}
static void a_thread_scribbles_at_the_subscriber(void) {
  with_scribbler(&data, as_a_subscriber);
}
static void a_thread_scribbles_at_the_writer(void) {
  with_scribbler(&controls[0], lied_to_by_a_reader);
}
#endif

/* hostile [ROUNDS [SEED]] */
int main(int argc, char **argv) {
  if (argc > 1) rounds = strtoull(argv[1], NULL, 0);
  if (argc > 2) first_seed = strtoull(argv[2], NULL, 0);
  alarm(300);
  data = make_block(DATA_SIZE);
  for (int i = 0; i < READERS; i++) controls[i] = make_block(PAGE);
#ifdef RING_MODEL
  RUN(any_load_lies_to_the_reader);
  RUN(any_load_lies_to_the_subscriber);
  RUN(any_load_lies_to_the_writer);
#else
  RUN(a_thread_scribbles_at_the_reader);
  RUN(a_thread_scribbles_at_the_subscriber);
  RUN(a_thread_scribbles_at_the_writer);
#endif
  return summary();
}
