/* Every schedule of a few sends and receives. */
#include "model_scheduler.c"

enum { CAPACITY = 256, SPACE = 0, DATA = 1 /* and DATA + 1 for the second reader */ };

static _Alignas(4096) char data[RING_HEADER_SIZE + CAPACITY];
static _Alignas(128) ring_control controls[2];
static ring_peer peers[2];
static ring_writer writer;
static ring_reader readers[2];
static uint64_t due[2], lost[2]; /* what each reader is to get next, what it missed */

static void open_ring(uint64_t features, int reader_count) {
  ring_header *h = (ring_header *)(void *)data;
  uint32_t index;
  uint64_t start;
  memset(data + RING_HEADER_SIZE, 0xA5, CAPACITY);
  memset(controls, 0, sizeof controls);
  memset(due, 0, sizeof due);
  memset(lost, 0, sizeof lost);
  ring_writer_init(&writer, data, sizeof data, features, peers, 2);
  model_share(data + RING_HEADER_SIZE, CAPACITY);
  model_share(&h->written, 24);
  model_share(&h->oldest, 8);
  model_share(&h->wanted, 16);
  for (int i = 0; i < reader_count; i++) {
    ring_writer_admit(&writer, &controls[i], &index, &start);
    ring_reader_attach(&readers[i], data, sizeof data, &controls[i], start);
    model_share(&controls[i].waiting, 8);
    model_share(&controls[i].cursor, 24);
  }
}

/* A message is its number, over and over. */
static ring_status put(uint64_t n, uint64_t size) {
  uint64_t words[40];
  ring_part part = {words, size};
  for (int i = 0; i < 40; i++) words[i] = n;
  return ring_writer_try_send(&writer, &part, 1);
}

static bool whole(const uint64_t *words, uint64_t size, uint64_t n) {
  for (uint64_t i = 0; i + 8 <= size; i += 8)
    if (words[i / 8] != n) return false;
  return true;
}

/* Receives and checks: in order, complete, every loss told. */
static ring_status get(int i) {
  static uint64_t buffers[2][40]; /* fragments come by several calls */
  uint64_t *words = buffers[i];
  ring_message m;
  ring_status status = ring_reader_receive(&readers[i], words, sizeof *buffers, &m);
  CHECK(status == RING_OK || status == RING_EMPTY || status == RING_AGAIN ||
        status == RING_OVERRUN);
  if (status) return status;
  due[i] += m.lost;
  lost[i] += m.lost;
  CHECK(whole(words, m.total, due[i]));
  due[i]++;
  return status;
}

/* The writer sends `n` away before its sequence begins. */
static void travel(uint64_t n, uint64_t size, int reader_count) {
  for (uint64_t i = 0; i < n; i++) {
    put(due[0], size);
    for (int r = 0; r < reader_count; r++) get(r);
  }
}

static void wake_readers(void) {
  uint32_t indices[2], count = ring_writer_sleepers(&writer, indices, 2);
  for (uint32_t i = 0; i < count; i++) model_signal(DATA + (int)indices[i]);
}

static void wait_for_space(void) {
  wake_readers();
  if (!ring_writer_prepare_wait(&writer)) return;
  model_sleep(SPACE);
  ring_writer_end_wait(&writer);
}

static void send(uint64_t n, uint64_t size) {
  while (put(n, size) == RING_WOULD_BLOCK && !red) wait_for_space();
  wake_readers();
}

static void tell_writer(int i) {
  if (ring_reader_wakes_writer(&readers[i])) model_signal(SPACE);
}

/* Until message `last` has come or is known to be lost. */
static void receive_to(int i, uint64_t last) {
  while (due[i] <= last && !red) {
    ring_status status = get(i);
    tell_writer(i);
    if (status != RING_EMPTY || !ring_reader_prepare_wait(&readers[i])) continue;
    model_sleep(DATA + i);
    ring_reader_end_wait(&readers[i]);
  }
}

/* ---------------------------------- scenarios ---------------------------------- */

static void at_the_wrap(void) {
  open_ring(0, 1);
  travel(14, 8, 1); /* 16 bytes each; then 8 to skip 8 bytes of room */
  travel(1, 0, 1);
}
static void send_two(void) {
  send(15, 8);
  send(16, 8);
}
static void receive_two(void) {
  receive_to(0, 16);
}

static void nearly_full(void) {
  open_ring(0, 1);
  travel(2, 56, 1);
  for (uint64_t n = 2; n < 5; n++) put(n, 56);
}
static void send_more(void) {
  send(5, 56);
  send(6, 40);
}
static void receive_all(void) {
  receive_to(0, 6);
}

static void send_batch(void) {
  for (uint64_t n = 15; n < 18; n++) {
    void *place;
    CHECK(!ring_writer_reserve(&writer, 8, &place));
    ring_model_store(place, n);
    ring_writer_stage(&writer, 8);
  }
  ring_writer_publish(&writer);
  wake_readers();
}
static void receive_batch(void) {
  receive_to(0, 15);
  CHECK(get(0) == RING_OK && get(0) == RING_OK); /* all or none */
}

static void send_large(void) {
  uint64_t words[12], taken, given = 0, size = sizeof words;
  for (int i = 0; i < 12; i++) words[i] = 5;
  ring_writer_begin(&writer, size);
  while (given < size && !red) {
    ring_status status =
        ring_writer_append(&writer, (char *)words + given, size - given, &taken);
    given += taken;
    if (status == RING_WOULD_BLOCK) wait_for_space();
  }
  wake_readers();
}
static void receive_large(void) {
  receive_to(0, 5);
}

static void send_or_drop(void) {
  if (put(5, 56)) ring_writer_drop(&writer);
  wake_readers();
  send(6, 8);
}
static void receive_with_losses(void) {
  receive_to(0, 6);
}
static void all_losses_told(void) {
  CHECK(due[0] == 7 && lost[0] == writer.dropped);
}

static void overwriting(void) {
  open_ring(RING_OVERWRITE, 1);
  travel(1, 48, 1);
  for (uint64_t n = 1; n < 4; n++) put(n, 48);
}
static void overwrite_two(void) {
  send(4, 48);
  send(5, 40);
}
static void receive_some(void) {
  for (int i = 0; i < 3; i++) get(0);
}
static void drain_to_five(void) {
  while (get(0) != RING_EMPTY && !red) {
  }
  CHECK(due[0] == 6);
}
static void receive_to_five(void) {
  receive_to(0, 5);
}

static void peek_a_loan(void) {
  ring_message m;
  if (ring_reader_peek(&readers[0], &m)) return;
  uint64_t first = ring_model_load(m.data);
  uint64_t last = ring_model_load((const char *)m.data + (m.size - 8));
  ring_status status = ring_reader_release(&readers[0]);
  if (!status) {
    CHECK(first == last && first == due[0] + m.lost);
    due[0] = first + 1;
  } else
    CHECK(status == RING_OVERRUN);
}

/* Joins a ring while two messages come. */
static void join_now(void) {
  ring_message m;
  uint64_t words[40];
  readers[1] = (ring_reader){0};
  CHECK(!ring_reader_attach(&readers[1], data, sizeof data, &controls[1], RING_NOW));
  for (int i = 0; i < 2; i++) {
    if (ring_reader_receive(&readers[1], words, sizeof words, &m)) continue;
    if (due[1]) CHECK(m.sequence == due[1] + m.lost);
    CHECK(m.sequence >= 4 && whole(words, m.total, m.sequence));
    due[1] = m.sequence + 1;
  }
}
static void overwriting_with_room_to_join(void) {
  overwriting();
  model_share(&controls[1].waiting, 8);
  model_share(&controls[1].cursor, 24);
}

static void two_readers(void) {
  open_ring(0, 2);
  travel(14, 8, 2);
  travel(1, 0, 2);
}
static void send_one(void) {
  send(15, 8);
}
static void first_receives(void) {
  receive_to(0, 15);
}
static void second_receives(void) {
  receive_to(1, 15);
}
static void two_behind(void) {
  open_ring(0, 2);
  for (uint64_t n = 0; n < 3; n++) put(n, 56);
}
static void send_a_fourth(void) {
  send(3, 56);
}
static void first_frees(void) {
  receive_to(0, 0);
}
static void second_frees(void) {
  receive_to(1, 0);
}

static void abandon_one(void) {
  uint64_t words[9] = {0}, taken;
  ring_writer_begin(&writer, 72);
  CHECK(!ring_writer_append(&writer, words, 24, &taken));
  wake_readers();
  ring_writer_abandon(&writer);
  wake_readers();
  send(16, 8);
}

static void stay_or_leave(void) {
  ring_reader_detach(&readers[1]);
  tell_writer(1);
}

static const model_scenario scenarios[] = {
    {"two messages at the wrap", at_the_wrap, {send_two, receive_two}, NULL},
    {"both sides sleep", nearly_full, {send_more, receive_all}, NULL},
    {"a batch", at_the_wrap, {send_batch, receive_batch}, NULL},
    {"a message of many fragments", nearly_full, {send_large, receive_large}, NULL},
    {"a message given up", at_the_wrap, {abandon_one, receive_two}, NULL},
    {"dropping the newest",
     nearly_full,
     {send_or_drop, receive_with_losses},
     all_losses_told},
    {"overwriting the oldest",
     overwriting,
     {overwrite_two, receive_some},
     drain_to_five},
    {"overwriting, and sleep", overwriting, {overwrite_two, receive_to_five}, NULL},
    {"overwriting a loan", overwriting, {overwrite_two, peek_a_loan}, drain_to_five},
    {"joining late", overwriting_with_room_to_join, {overwrite_two, join_now}, NULL},
    {"two readers sleep",
     two_readers,
     {send_one, first_receives, second_receives},
     NULL},
    {"two readers make room",
     two_behind,
     {send_a_fourth, first_frees, second_frees},
     NULL},
    {"a reader leaves", two_behind, {send_a_fourth, first_frees, stay_or_leave}, NULL},
};

int main(void) {
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
    for (int memory = MODEL_SC; memory <= MODEL_TSO; memory++)
      model_explore(&scenarios[i], memory);
  return summary();
}
