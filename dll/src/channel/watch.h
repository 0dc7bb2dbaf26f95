/* The pipe over which two parties have met, and what it is kept for: it breaks when one
 * of them has gone, however it went. */
#ifndef WINIPC_WATCH_H
#define WINIPC_WATCH_H

#include "core/win.h"
#include "pipe/pipe.h"

typedef struct watch {
  SRWLOCK lock;
  HANDLE pipe;           /* NULL once it has broken */
  pipe_server *instance; /* whose instance it is; NULL at the client's end */
  HANDLE event;          /* auto-reset: a read that was never meant to end has ended */
  HANDLE registration;
  OVERLAPPED overlapped;
  char byte;
  bool reads;         /* the read was begun */
  bool asked;         /* to break it */
  volatile LONG gone; /* 1: the peer is no longer there */
  void (*notice)(void *user);
  void *user;
} watch;

/* Takes over the pipe. `notice` is called once, on a thread of the system's, after
 * `gone` was set. On failure the pipe stays the caller's. */
winipc_status watch_start(watch *w, HANDLE pipe, pipe_server *instance,
                          void (*notice)(void *user), void *user);

/* Breaks the pipe, so that both parties notice. */
void watch_break(watch *w);

/* Returns when no notice comes any more. The pipe is closed. */
void watch_stop(watch *w);

/* Closes a pipe that is not watched. */
void watch_close_pipe(HANDLE pipe, pipe_server *instance);

#endif
