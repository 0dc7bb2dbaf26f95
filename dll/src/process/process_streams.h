/* Both sides of a child's standard streams, before the child exists. */
#ifndef WINIPC_PROCESS_STREAMS_H
#define WINIPC_PROCESS_STREAMS_H

#include "process/process.h"

typedef struct process_streams {
  HANDLE theirs[PROCESS_STREAMS]; /* NULL: none */
  bool opened[PROCESS_STREAMS];   /* `theirs` is to be closed once the child has it */
  connection *ours[PROCESS_STREAMS];
} process_streams;

/* On failure everything is closed again. */
winipc_status process_streams_open(process_streams *s, const winipc_stream *options);

/* After the child was created, or was not: its side only. */
void process_streams_close_theirs(process_streams *s);
void process_streams_close(process_streams *s);

/* Gives our ends to the process. */
void process_streams_move(process_streams *s, process *p);

#endif
