/* One thread, one fact a test. */
#include "check.h"

enum { READERS = 4 };

static _Alignas(4096) char data[RING_HEADER_SIZE + (1 << 16)];
static _Alignas(4096) ring_control controls[READERS];
static ring_peer peers[READERS];
static ring_writer writer;
static ring_reader reader, others[READERS];
static ring_message message;
static char bytes[1 << 16], copy[1 << 16];

static void open_ring(uint64_t capacity, uint64_t features) {
  uint32_t index;
  uint64_t start;
  memset(data, 0xA5, sizeof data); /* what a section held before means nothing */
  memset(controls, 0, sizeof controls);
  CHECK(!ring_writer_init(&writer, data, RING_HEADER_SIZE + capacity, features, peers,
                          READERS));
  CHECK(!ring_writer_admit(&writer, &controls[0], &index, &start));
  if (features & RING_OVERWRITE) start = RING_OLDEST;
  CHECK(!ring_reader_attach(&reader, data, RING_HEADER_SIZE + capacity, &controls[0],
                            start));
}

static ring_status send(uint64_t size, uint64_t n) {
  ring_part part = {bytes, size};
  fill(bytes, size, n);
  return ring_writer_try_send(&writer, &part, 1);
}

static ring_status receive(ring_reader *r) {
  ring_status status;
  while ((status = ring_reader_receive(r, copy, sizeof copy, &message)) == RING_AGAIN) {
  }
  return status;
}

static bool arrives(uint64_t size, uint64_t n) {
  return receive(&reader) == RING_OK && message.total == size &&
         is_filled(copy, size, n);
}

static void a_message_arrives_once(void) {
  open_ring(4096, 0);
  CHECK(receive(&reader) == RING_EMPTY);
  CHECK(send(5, 1) == RING_OK);
  CHECK(ring_reader_lag(&reader) == 16);
  CHECK(arrives(5, 1) && !message.lost);
  CHECK(receive(&reader) == RING_EMPTY && !ring_reader_lag(&reader));
}

static void an_empty_message_is_a_message(void) {
  open_ring(4096, 0);
  CHECK(!send(0, 1) && !send(0, 2));
  CHECK(arrives(0, 1) && arrives(0, 2) && receive(&reader) == RING_EMPTY);
}

static void every_size_passes_every_offset(void) {
  open_ring(1024, 0);
  uint64_t most = ring_inline_most(1024, 0), n = 0;
  CHECK(most == 248);
  for (int round = 0; round < 100; round++)
    for (uint64_t size = 0; size <= most; size++, n++)
      CHECK(!send(size, n) && arrives(size, n));
  CHECK(send(most + 1, 0) == RING_TOO_LARGE);
}

static void a_full_ring_says_so_and_goes_on(void) {
  open_ring(1024, 0);
  uint64_t sent = 0, got = 0;
  for (int round = 0; round < 1000; round++) {
    while (!send(40 + sent % 90, sent)) sent++;
    CHECK(sent - got >= 6);
    for (int i = 0; i < 1 + round % 5; i++, got++) CHECK(arrives(40 + got % 90, got));
  }
}

static void a_loan_is_the_message_itself(void) {
  void *place;
  open_ring(4096, 0);
  CHECK(!ring_writer_reserve(&writer, 100, &place));
  CHECK((uintptr_t)place % 8 == 0);
  fill(place, 60, 7);
  CHECK(receive(&reader) == RING_EMPTY);
  CHECK(ring_writer_commit(&writer, 101) == RING_INVALID);
  CHECK(!ring_writer_commit(&writer, 60));
  CHECK(ring_writer_commit(&writer, 1) == RING_INVALID);
  CHECK(!ring_reader_peek(&reader, &message));
  CHECK(message.size == 60 && message.data == place && is_filled(place, 60, 7));
  CHECK(!ring_reader_release(&reader) && ring_reader_release(&reader) == RING_INVALID);
}

static void an_abandoned_loan_was_never_there(void) {
  void *place;
  open_ring(1024, 0);
  for (uint64_t n = 0; n < 100; n++) {
    CHECK(!ring_writer_reserve(&writer, 200, &place));
    memset(place, 0xFF, 200);
    ring_writer_abandon(&writer);
    CHECK(receive(&reader) == RING_EMPTY);
    CHECK(!send(n, n) && arrives(n, n));
  }
}

static void a_batch_appears_at_once_and_in_order(void) {
  void *place;
  open_ring(1024, 0);
  for (uint64_t n = 0; n < 300; n += 3) {
    for (uint64_t i = 0; i < 3; i++) {
      CHECK(!ring_writer_reserve(&writer, 50, &place));
      fill(place, 50, n + i);
      CHECK(!ring_writer_stage(&writer, 50) && receive(&reader) == RING_EMPTY);
    }
    ring_writer_publish(&writer);
    for (uint64_t i = 0; i < 3; i++) CHECK(arrives(50, n + i));
  }
}

static void a_full_ring_publishes_its_batch(void) {
  void *place;
  uint64_t n = 0;
  open_ring(1024, 0);
  while (!ring_writer_reserve(&writer, 50, &place)) {
    fill(place, 50, n++);
    CHECK(!ring_writer_stage(&writer, 50));
  }
  CHECK(n > 10);
  for (uint64_t i = 0; i < n; i++) CHECK(arrives(50, i));
}

static void parts_are_gathered(void) {
  open_ring(4096, 0);
  ring_part parts[] = {{"Shine", 5}, {NULL, 0}, {" on", 3}};
  CHECK(!ring_writer_try_send(&writer, parts, 3));
  CHECK(!receive(&reader) && message.total == 8 && !memcmp(copy, "Shine on", 8));
}

static void a_small_buffer_keeps_the_message(void) {
  open_ring(4096, 0);
  CHECK(!send(100, 3));
  CHECK(ring_reader_receive(&reader, copy, 99, &message) == RING_TOO_SMALL);
  CHECK(message.total == 100 && arrives(100, 3));
}

static void large_messages_come_in_pieces(void) {
  open_ring(1024, RING_TIME);
  for (uint64_t size = 0; size < 5000; size += 97) {
    uint64_t given = 0, taken;
    CHECK(!ring_writer_begin(&writer, size));
    CHECK(ring_writer_begin(&writer, 1) == RING_INVALID && send(1, 1) == RING_INVALID);
    fill(bytes, size, size);
    memset(copy, 0, size);
    do {
      uint64_t chunk = size - given < 700 ? size - given : 700;
      ring_status status = ring_writer_append(&writer, bytes + given, chunk, &taken);
      given += taken;
      CHECK(status == (taken < chunk ? RING_WOULD_BLOCK : RING_OK));
      CHECK(receive(&reader) == (given < size ? RING_EMPTY : RING_OK));
    } while (given < size && !red);
    CHECK(message.total == size && is_filled(copy, size, size) && !reader.open);
  }
}

static void a_large_message_may_be_given_up(void) {
  open_ring(1024, 0);
  for (uint64_t n = 0; n < 200; n++) {
    uint64_t taken;
    CHECK(!ring_writer_begin(&writer, 3000 + n));
    if (n % 4) CHECK(ring_writer_append(&writer, bytes, 3000, &taken) == 2);
    ring_writer_abandon(&writer); /* the ring is as full as it gets */
    CHECK(receive(&reader) == RING_EMPTY && !reader.open);
    CHECK(ring_load(&controls[0].cursor) == writer.written); /* all of it is free */
    CHECK(!send(n, n) && arrives(n, n) && message.lost == (n % 4 != 0));
  }
}

static void dropped_messages_are_told_of(void) {
  open_ring(256, 0);
  for (uint64_t n = 0, got = 0; n < 300; n++) {
    uint64_t dropped = 0;
    while (!send(10 + n % 30, n)) n++;
    for (; dropped < 1 + n % 3; dropped++) ring_writer_drop(&writer);
    for (; got < n; got++)
      if (arrives(10 + got % 30, got)) CHECK(!message.lost);
    CHECK(!send(8, n) && arrives(8, n) && message.lost == dropped);
    got++;
  }
  CHECK(ring_load(&((ring_header *)(void *)data)->dropped) ==
        ring_load(&controls[0].lost));
}

static void fields_cost_nothing_when_off(void) {
  open_ring(4096, RING_SEQUENCE | RING_TIME | RING_TAG);
  for (uint64_t n = 0; n < 50; n++) {
    ring_writer_mark(&writer, 1000 + n, 2000 + n);
    CHECK(!send(30, n) && arrives(30, n));
    CHECK(message.sequence == n && message.time == 1000 + n && message.tag == 2000 + n);
  }
  CHECK(ring_inline_most(4096, 0) == 1016 && ring_inline_most(4096, 7) == 992);
  open_ring(4096, RING_TAG);
  ring_writer_mark(&writer, 1, 2);
  CHECK(!send(30, 1) && ring_reader_lag(&reader) == 48 && arrives(30, 1));
  CHECK(!message.sequence && !message.time && message.tag == 2);
}

static void the_slowest_reader_holds_the_writer(void) {
  uint32_t index;
  uint64_t start, n = 0;
  open_ring(1024, 0);
  CHECK(!send(10, n++));
  CHECK(!ring_writer_admit(&writer, &controls[1], &index, &start) && index == 1);
  while (!send(100, n)) n++;
  while (!receive(&reader)) {
  }
  CHECK(send(100, n) == RING_WOULD_BLOCK); /* the second is admitted, not yet there */
  CHECK(!ring_reader_attach(&others[1], data, sizeof data, &controls[1], start));
  CHECK(!receive(&others[1]) && is_filled(copy, 100, 1));
  CHECK(send(100, n) == RING_OK);
  CHECK(!receive(&reader) && is_filled(copy, 100, n));
  while (!send(100, n)) {
  }
  CHECK(ring_writer_prepare_wait(&writer));
  ring_reader_detach(&others[1]);
  CHECK(ring_reader_wakes_writer(&others[1]));
  CHECK(receive(&others[1]) == RING_CORRUPT);
  ring_writer_end_wait(&writer);
  while (!receive(&reader)) {
  }
  CHECK(send(100, n) == RING_OK);
}

static void with_no_reader_nothing_is_kept(void) {
  open_ring(1024, 0);
  ring_writer_dismiss(&writer, 0);
  for (uint64_t n = 0; n < 100; n++) CHECK(!send(200, n));
}

static void the_oldest_goes(void) {
  open_ring(1024, RING_OVERWRITE);
  for (uint64_t n = 0; n < 100; n++) CHECK(!send(100, n));
  CHECK(!receive(&reader));
  uint64_t first = message.sequence;
  CHECK(first >= 90 && message.lost == first && is_filled(copy, 100, first));
  for (uint64_t n = first + 1; n < 100; n++) CHECK(arrives(100, n) && !message.lost);
  CHECK(receive(&reader) == RING_EMPTY && ring_load(&controls[0].lost) == first);
}

static void an_overrun_loan_says_so(void) {
  open_ring(1024, RING_OVERWRITE);
  CHECK(!send(100, 0) && !ring_reader_peek(&reader, &message));
  for (uint64_t n = 1; n < 20; n++) CHECK(!send(100, n));
  CHECK(ring_reader_release(&reader) == RING_OVERRUN);
  CHECK(!receive(&reader) && message.lost == message.sequence);
  CHECK(is_filled(copy, 100, message.sequence));
}

static void late_joiners_begin_where_they_say(void) {
  open_ring(1024, RING_OVERWRITE);
  for (uint64_t n = 0; n < 50; n++) CHECK(!send(100, n));
  CHECK(!ring_reader_attach(&others[1], data, sizeof data, &controls[1], RING_NOW));
  CHECK(!ring_reader_attach(&others[2], data, sizeof data, &controls[2], RING_OLDEST));
  CHECK(receive(&others[1]) == RING_EMPTY);
  CHECK(!receive(&others[2]) && message.sequence > 40 && !message.lost);
  CHECK(!send(100, 50) && !receive(&others[1]));
  CHECK(message.sequence == 50 && !message.lost);
  CHECK(!ring_reader_attach(&others[3], data, sizeof data, &controls[3], RING_NOW));
  for (uint64_t n = 51; n < 90; n++) CHECK(!send(100, n));
  CHECK(!receive(&others[3]) && message.lost == message.sequence - 51);
  open_ring(1024, 0);
  CHECK(ring_reader_attach(&others[1], data, sizeof data, &controls[1], RING_NOW) ==
        RING_INVALID);
}

static void a_large_message_may_overrun_itself(void) {
  uint64_t taken;
  open_ring(1024, RING_OVERWRITE);
  CHECK(!ring_writer_begin(&writer, 3000));
  CHECK(!ring_writer_append(&writer, bytes, 200, &taken) && taken == 200);
  CHECK(receive(&reader) == RING_EMPTY && reader.open);
  CHECK(!ring_writer_append(&writer, bytes, 2800, &taken) && taken == 2800);
  CHECK(receive(&reader) == RING_EMPTY && !reader.open);
  CHECK(!send(9, 1) && arrives(9, 1) && message.lost == 1);
}

static void a_long_batch_overwrites_too(void) {
  void *place;
  open_ring(1024, RING_OVERWRITE);
  for (uint64_t n = 0; n < 100; n++) {
    CHECK(!ring_writer_reserve(&writer, 100, &place));
    fill(place, 100, n);
    CHECK(!ring_writer_stage(&writer, 100));
  }
  ring_writer_publish(&writer);
  uint64_t next = 0;
  while (!receive(&reader)) {
    CHECK(message.sequence == next + message.lost &&
          is_filled(copy, 100, next = message.sequence));
    next++;
  }
  CHECK(next == 100);
}

static void a_sleeper_is_woken_once(void) {
  uint32_t index = 9;
  open_ring(1024, 0);
  CHECK(!send(1, 0) && !ring_writer_sleepers(&writer, &index, 1));
  CHECK(!ring_reader_prepare_wait(&reader) && !receive(&reader));
  CHECK(ring_reader_prepare_wait(&reader));
  CHECK(!send(1, 1) && ring_writer_sleepers(&writer, &index, 1) == 1 && !index);
  CHECK(!send(1, 2) && !ring_writer_sleepers(&writer, &index, 1));
  ring_reader_end_wait(&reader);
  CHECK(!receive(&reader) && !receive(&reader) && ring_reader_prepare_wait(&reader));
  CHECK(!send(1, 3) && ring_writer_sleepers(&writer, &index, 1) == 1);
}

static void the_writer_is_woken_when_it_helps(void) {
  open_ring(1024, 0);
  uint64_t n = 0;
  CHECK(!ring_writer_prepare_wait(&writer));
  while (!send(20, n)) n++;
  CHECK(send(240, n) == RING_WOULD_BLOCK && ring_writer_prepare_wait(&writer));
  int released = 0;
  while (!receive(&reader) && ++released && !ring_reader_wakes_writer(&reader)) {
  }
  CHECK(released >= 7 && !ring_reader_wakes_writer(&reader));
  CHECK(!receive(&reader) && !ring_reader_wakes_writer(&reader));
  ring_writer_end_wait(&writer);
  CHECK(!send(240, n));
}

static void the_lap_is_no_limit(void) {
  open_ring(256, 0);
  uint64_t far = ((uint64_t)1 << 32) - 512; /* laps are counted in 24 bits */
  writer.written = writer.staged = reader.cursor = reader.next = far;
  writer.limit = far + 256;
  peers[0].cursor = far;
  ring_store(&controls[0].cursor, far);
  for (uint64_t n = 0; n < 100; n++) CHECK(!send(n % 50, n) && arrives(n % 50, n));
}

static void a_wrong_header_is_refused(void) {
  ring_header *h = (ring_header *)(void *)data;
  ring_word *words[] = {&h->magic, &h->layout, &h->capacity, &h->features};
  uint64_t wrong[] = {0, 128, 3000, 1 << 17, (uint64_t)1 << 63, UINT64_MAX, 0x10};
  for (int i = 0; i < 4; i++)
    for (int j = i == 3; j < 7; j++) {
      open_ring(1 << 16, 0);
      if (i == 3 && wrong[j] <= RING_FEATURES) continue;
      ring_store(words[i], wrong[j]);
      if (i == 3 && wrong[j] == 128) ring_store(words[i], RING_OVERWRITE);
      CHECK(ring_reader_attach(&others[1], data, sizeof data, &controls[1], 0) ==
            RING_CORRUPT);
    }
  open_ring(1 << 16, 0);
  CHECK(ring_reader_attach(&others[1], data, sizeof data - 1, &controls[1], 0) ==
        RING_CORRUPT);
  CHECK(ring_reader_attach(&others[1], data, sizeof data, &controls[1], 4) ==
        RING_CORRUPT);
  CHECK(ring_writer_init(&writer, data, RING_HEADER_SIZE + 255, 0, peers, 1) ==
        RING_INVALID);
}

static void a_lying_cursor_is_found_out(void) {
  uint64_t lies[] = {8, UINT64_MAX, UINT64_MAX - 7, 1028, 1032, 5000};
  for (int i = 0; i < 7; i++) {
    uint64_t n = 0;
    open_ring(1024, 0);
    for (; n < 60; n++) CHECK(!send(50, n) && arrives(50, n));
    while (!send(50, n)) n++;
    if (i < 6)
      ring_store(&controls[0].cursor, lies[i]);
    else
      ring_store(&controls[0].state, 77);
    CHECK(send(50, n) == RING_CORRUPT && writer.culprit == 0);
    CHECK(!ring_writer_prepare_wait(&writer));
    ring_writer_dismiss(&writer, 0);
    CHECK(!send(50, n));
  }
}

static void a_lying_word_is_found_out(void) {
  ring_word *word = (ring_word *)(void *)(data + RING_HEADER_SIZE);
  uint64_t good = (uint64_t)RING__PUBLISHED << 32;
  uint64_t lies[] = {1,
                     UINT64_MAX,
                     good | 249,
                     good | UINT32_MAX,
                     good | (uint64_t)1 << 40,
                     good | (uint64_t)RING__LOSS << 32,
                     good | (uint64_t)RING__MORE << 32 | 7,
                     good | (uint64_t)RING__ABORT << 32 | 1,
                     good | (uint64_t)64 << 32,
                     good | (uint64_t)(RING__PADDING | RING__MORE) << 32};
  for (int i = 0; i < 10; i++) {
    open_ring(1024, 0);
    ring_store(word, lies[i]);
    CHECK(receive(&reader) == RING_CORRUPT && receive(&reader) == RING_CORRUPT);
  }
}

static void lying_fragments_are_found_out(void) {
  ring_word *word = (ring_word *)(void *)(data + RING_HEADER_SIZE);
  uint64_t more = (uint64_t)(RING__PUBLISHED | RING__MORE) << 32;
  uint64_t totals[] = {0, 8, 16, 24, 25, 33};
  for (int i = 0; i < 6; i++) {
    open_ring(1024, 0);
    ring_store(word, more | 24); /* 16 bytes of so many */
    ring_store(word + 1, totals[i]);
    ring_store(word + 4, (uint64_t)(RING__PUBLISHED | RING__CONTINUED) << 32 | 8);
    CHECK(receive(&reader) == (totals[i] == 24 ? RING_OK : RING_CORRUPT));
  }
  open_ring(1024, 0);
  ring_store(word, more | 24);
  ring_store(word + 1, 24);
  ring_store(word + 4, (uint64_t)RING__PUBLISHED << 32 | 8);
  CHECK(receive(&reader) == RING_CORRUPT);
}

int main(void) {
  RUN(a_message_arrives_once);
  RUN(an_empty_message_is_a_message);
  RUN(every_size_passes_every_offset);
  RUN(a_full_ring_says_so_and_goes_on);
  RUN(a_loan_is_the_message_itself);
  RUN(an_abandoned_loan_was_never_there);
  RUN(a_batch_appears_at_once_and_in_order);
  RUN(a_full_ring_publishes_its_batch);
  RUN(parts_are_gathered);
  RUN(a_small_buffer_keeps_the_message);
  RUN(large_messages_come_in_pieces);
  RUN(a_large_message_may_be_given_up);
  RUN(dropped_messages_are_told_of);
  RUN(fields_cost_nothing_when_off);
  RUN(the_slowest_reader_holds_the_writer);
  RUN(with_no_reader_nothing_is_kept);
  RUN(the_oldest_goes);
  RUN(an_overrun_loan_says_so);
  RUN(late_joiners_begin_where_they_say);
  RUN(a_large_message_may_overrun_itself);
  RUN(a_long_batch_overwrites_too);
  RUN(a_sleeper_is_woken_once);
  RUN(the_writer_is_woken_when_it_helps);
  RUN(the_lap_is_no_limit);
  RUN(a_wrong_header_is_refused);
  RUN(a_lying_cursor_is_found_out);
  RUN(a_lying_word_is_found_out);
  RUN(lying_fragments_are_found_out);
  return summary();
}
