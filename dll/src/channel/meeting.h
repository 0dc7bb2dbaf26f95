/* How two parties of a channel meet: the messages over the pipe, and the handles.
 *
 *   the one that joins                 the host, whose pipe it is
 *   hello: what it wants to be    -->
 *                                 <--  welcome: a status, and handles that were put
 *                                      into the joining process; or, to one that only
 *                                      looks, a count, and a message for each member
 *   ready: it has set up its side -->
 *
 * Then the pipe is silent. Numbers are little-endian. A later version may append to a
 * message; each side tells the oldest version that it still speaks, and what is younger
 * than the other knows is ignored by it. */
#ifndef WINIPC_MEETING_H
#define WINIPC_MEETING_H

#include "channel/region.h"
#include "core/wait.h"
#include "core/win.h"

enum {
  MEETING_VERSION = 1,
  MEETING_OLDEST = 1, /* that we still speak */
  MEETING_PATIENCE_MS = 1000,
  MEETING_INSPECT = 100 /* a role: only to look */
};

typedef struct meeting_hello {
  char magic[8];
  uint32_t version, oldest;
  uint32_t role;     /* WINIPC_CHANNEL_... or MEETING_INSPECT */
  uint32_t pid;      /* believed only where the pipe cannot know it */
  uint64_t capacity; /* of the ring that it wants to write, 0: none */
} meeting_hello;

typedef struct meeting_welcome {
  char magic[8];
  uint32_t version;
  int32_t status; /* a winipc_status: WINIPC_OK, or why not */
  /* Values of HANDLEs in the joining process; 0: none. */
  uint64_t mine, theirs;           /* sections: what it writes, what it reads */
  uint64_t data, room;             /* events that it waits for */
  uint64_t their_data, their_room; /* and sets */
  uint64_t mine_size, theirs_size;
  uint64_t start; /* where to begin to read, or a count */
  uint32_t role;  /* of the host */
  uint32_t unused;
} meeting_welcome;

typedef struct meeting_ready {
  char magic[8];
} meeting_ready;

/* Sends or receives one message over the pipe; waits in `list`. `size` gets what was
 * received, at most `capacity`. */
winipc_status meeting_send(HANDLE pipe, const void *message, size_t size, waiters *list,
                           const deadline *end);
winipc_status meeting_receive(HANDLE pipe, void *message, size_t capacity, size_t *size,
                              waiters *list, const deadline *end);

/* The host's part: reads a hello, and refuses what is none or of another version.
 * `role` is the host's. */
winipc_status meeting_await_hello(HANDLE pipe, meeting_hello *hello, uint32_t role,
                                  waiters *list, const deadline *end);
winipc_status meeting_await_ready(HANDLE pipe, waiters *list, const deadline *end);
winipc_status meeting_welcome_with(HANDLE pipe, meeting_welcome *welcome, waiters *list,
                                   const deadline *end);
winipc_status meeting_refuse(HANDLE pipe, winipc_status why, uint32_t role,
                             waiters *list, const deadline *end);

/* The other's part. A refusal comes back as the status that the host gave. */
winipc_status meeting_say_hello(HANDLE pipe, uint32_t role, uint64_t capacity,
                                meeting_welcome *welcome, waiters *list,
                                const deadline *end);
winipc_status meeting_say_ready(HANDLE pipe, waiters *list, const deadline *end);

/* Handles that are put into another process, all or none. */
typedef struct handout {
  HANDLE process;
  uint64_t given[6];
  uint32_t count;
} handout;

winipc_status handout_begin(handout *h, DWORD pid);

/* Puts a duplicate with that access there; does nothing for NULL, or after a failure.
 */
void handout_put(handout *h, HANDLE handle, DWORD access, uint64_t *value,
                 winipc_status *status);

/* `take_back`: closes them there again. */
void handout_end(handout *h, bool take_back);

#endif
