/* Messages through shared memory, in one direction: one writer, one or more readers.
 *
 * This part is portable: it makes no system call, allocates nothing and never waits.
 * Where it would have to wait it says so, and its caller, who has the events, sleeps:
 *
 *   writer: try_send, and if it would block: prepare_wait, sleep, end_wait, again;
 *           after each publication: wake whom ring_writer_sleepers names
 *   reader: receive, and if it is empty: prepare_wait, sleep, end_wait, again;
 *           after each release, and before each sleep: ring_reader_wakes_writer
 *   drain:  want_all, prepare_wait, a short sleep, end_wait, and as before
 *
 * Each ring_writer and each ring_reader is used by one thread at a time. Memory layout,
 * memory orderings and why no wake-up is lost: ring_layout.h. */
#ifndef WINIPC_RING_H
#define WINIPC_RING_H

#include "channel/ring_layout.h"

typedef enum ring_status {
  RING_OK,
  RING_EMPTY,       /* nothing there yet, or not the next fragment */
  RING_WOULD_BLOCK, /* no room yet */
  RING_AGAIN,       /* the cursor has moved on, but not to a message: call again */
  RING_OVERRUN,     /* what was peeked or copied has been overwritten: forget it */
  RING_TOO_SMALL,   /* the buffer is; the message is kept */
  RING_TOO_LARGE,   /* to be sent in one piece */
  RING_INVALID,     /* the call makes no sense here */
  RING_CORRUPT      /* the other side has broken the rules; that is final */
} ring_status;

/* The largest message that fits into one record of a ring of that capacity. */
uint64_t ring_inline_most(uint64_t capacity, uint64_t features);

typedef struct ring_part {
  const void *data;
  size_t size;
} ring_part;

/* --------------------------------- the writer --------------------------------- */

/* What the writer knows of a reader. */
typedef struct ring_peer {
  const ring_control *control; /* NULL: the place is free */
  uint64_t cursor;             /* as last seen, and found plausible */
  uint64_t woken;              /* the last ticket that was answered */
} ring_peer;

typedef struct ring_writer {
  ring_header *header;
  char *records;
  ring_shape shape;
  uint64_t written;    /* end of what is published */
  uint64_t staged;     /* end of what is complete; not less */
  uint64_t first_word; /* of what is staged: stored last */
  uint64_t limit;      /* room is known to reach to here */
  uint64_t oldest;
  uint64_t wanted; /* the cursor that the last refusal was about */
  uint64_t room;   /* bytes of the reservation */
  bool reserved, open, begun;
  uint64_t total, done; /* of the open message: its size, and what was taken */
  uint64_t time, tag;   /* for the next message */
  uint64_t sequence;    /* of the next message */
  uint64_t current;     /* of this one */
  uint64_t dropped, untold;
  uint64_t ticket;
  ring_peer *peers;
  uint32_t places;
  uint32_t culprit; /* after RING_CORRUPT: whose control block is at fault */
} ring_writer;

/* Makes a ring in `size` bytes at `data`, of which it takes RING_HEADER_SIZE and a
 * power of two. `peers` has `places` for readers. */
ring_status ring_writer_init(ring_writer *w, void *data, uint64_t size,
                             uint64_t features, ring_peer *peers, uint32_t places);

/* Takes a reader in: nothing behind `*start`, the present end, is overwritten before it
 * has read it (in a ring that overwrites: it is woken). The reader attaches at
 * `*start`, which is told to it by other means. RING_WOULD_BLOCK: there is no place. */
ring_status ring_writer_admit(ring_writer *w, const ring_control *control,
                              uint32_t *index, uint64_t *start);

/* Forgets a reader: it is gone, or it is the culprit. */
void ring_writer_dismiss(ring_writer *w, uint32_t index);

/* Time stamp and tag of the messages from now on, in rings that have these fields. */
static inline void ring_writer_mark(ring_writer *w, uint64_t time, uint64_t tag) {
  w->time = time;
  w->tag = tag;
}

/* Sends one message, gathered from parts: RING_OK, RING_WOULD_BLOCK, RING_TOO_LARGE
 * (use begin and append), RING_CORRUPT. */
ring_status ring_writer_try_send(ring_writer *w, const ring_part *parts, size_t count);

/* Room for a message of up to `size` bytes, to be built in place ... */
ring_status ring_writer_reserve(ring_writer *w, uint64_t size, void **data);
/* ... which is then sent with its first `size` bytes, */
ring_status ring_writer_commit(ring_writer *w, uint64_t size);
/* ... or completed, and sent with the next publication: a batch becomes visible at once
 * and in order. A ring that gets full publishes by itself. */
ring_status ring_writer_stage(ring_writer *w, uint64_t size);
void ring_writer_publish(ring_writer *w);

/* Begins a message of any size, whose bytes follow by one or more calls of append. That
 * takes what there is room for: RING_WOULD_BLOCK with `*taken` < size asks to be called
 * again with the rest. With the last byte the message ends. */
ring_status ring_writer_begin(ring_writer *w, uint64_t total);
ring_status ring_writer_append(ring_writer *w, const void *data, uint64_t size,
                               uint64_t *taken);

/* Gives up a reservation, or an open message: it needs no room, and the readers count a
 * message of which they have seen a fragment as lost. */
void ring_writer_abandon(ring_writer *w);

/* The message that found no room is dropped: the readers are told before the next one.
 */
void ring_writer_drop(ring_writer *w);

/* Which readers sleep and have to be woken, once for each sleep. One full fence. */
uint32_t ring_writer_sleepers(ring_writer *w, uint32_t *indices, uint32_t most);

/* The next wait shall be for the readers to have read everything. Since that is no
 * multiple of a step, its first sleep has to be short (see the orderings, 4). */
static inline void ring_writer_want_all(ring_writer *w) {
  w->wanted = w->written;
}

/* After RING_WOULD_BLOCK: is it worth to try again? This is what one spins on. */
bool ring_writer_ready(ring_writer *w);

/* After RING_WOULD_BLOCK: may the writer sleep until a reader wakes it? False: there is
 * room by now, or (w->culprit) somebody is corrupt: try again. True: end_wait follows.
 */
bool ring_writer_prepare_wait(ring_writer *w);
void ring_writer_end_wait(ring_writer *w);

/* --------------------------------- the readers --------------------------------- */

typedef struct ring_message {
  const void *data; /* in the ring; whoever does not trust the writer copies it */
  uint64_t size;    /* of this fragment, which is mostly the message */
  uint64_t total;   /* of the message */
  uint64_t offset;  /* of this fragment in it */
  bool more;        /* another fragment follows */
  uint64_t lost;    /* messages lost since the last one that was received */
  uint64_t sequence, time, tag; /* 0 in a ring without */
} ring_message;

typedef struct ring_reader {
  const ring_header *header;
  const char *records;
  ring_control *control;
  ring_shape shape;
  uint64_t cursor;      /* the record that is looked at */
  uint64_t next;        /* behind the peeked record; the cursor, if none is */
  uint64_t oldest;      /* as last seen */
  uint64_t expected;    /* sequence number of the message that is due */
  uint64_t lost;        /* to be told with the next message */
  uint64_t total, done; /* of the message whose fragments come */
  uint64_t ticket, woken;
  ring_message peeked;
  bool open;     /* fragments of a message have been released, and more are due */
  bool settled;  /* has seen the beginning of a message */
  uint64_t told; /* the cursor when the writer was last thought of */
  bool corrupt;
} ring_reader;

/* Where to begin, other than at a position got from ring_writer_admit; in rings that
 * overwrite only, since another writer would not know of the reader. */
#define RING_NOW UINT64_MAX
#define RING_OLDEST (UINT64_MAX - 1)

ring_status ring_reader_attach(ring_reader *r, const void *data, uint64_t size,
                               ring_control *control, uint64_t start);
void ring_reader_detach(ring_reader *r);

/* The next message, or its next fragment, in place: RING_OK, RING_EMPTY, RING_AGAIN,
 * RING_CORRUPT. A first fragment (offset 0) after others: those are void. */
ring_status ring_reader_peek(ring_reader *r, ring_message *message);

/* Is there something to peek at? One load: this is what one spins on. */
static inline bool ring_reader_ready(const ring_reader *r) {
  const void *word = r->records + ring_offset(&r->shape, r->next);
  return ring_load_relaxed(word) != 0;
}

/* Is done with it. RING_OVERRUN: it was overwritten at some moment before. */
ring_status ring_reader_release(ring_reader *r);

/* Copies a message out. RING_EMPTY inside a message of several fragments (r->open):
 * call again with the same buffer. RING_OVERRUN: what was copied is void.
 * RING_TOO_SMALL: the message of message->total bytes is kept. */
ring_status ring_reader_receive(ring_reader *r, void *buffer, uint64_t capacity,
                                ring_message *message);

/* Bytes that are published and not yet released, padding and words included. */
uint64_t ring_reader_lag(const ring_reader *r);

/* Must the writer be woken? To be asked after each release, and once more behind
 * ring_reader_prepare_wait. One full fence each time that a step of the ring was
 * released, else a load. */
bool ring_reader_wakes_writer(ring_reader *r);

/* May the reader sleep until the writer wakes it? False: something came. */
bool ring_reader_prepare_wait(ring_reader *r);
void ring_reader_end_wait(ring_reader *r);

#endif
