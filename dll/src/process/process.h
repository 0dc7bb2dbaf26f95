/* A process that was started or opened, and what is common to its parts: the start
 * (process_start.c), talking to it (communicate.c), handing it handles (hand_over.c).
 */
#ifndef WINIPC_PROCESS_H
#define WINIPC_PROCESS_H

#include "connection/connection.h"
#include "core/handle.h"
#include "core/wait.h"
#include "core/win.h"

enum { PROCESS_STREAMS = 3 };

/* What winipc_process_communicate still has to write into standard input. */
typedef struct process_feed {
  bool begun;        /* the first call has said what the input is */
  bool writing;      /* `chunk` is the kernel's, even between two calls */
  const char *input; /* the caller's, or `rest` */
  size_t left;
  char *rest;  /* our copy, for as long as no call is under way */
  char *chunk; /* what is being written */
} process_feed;

typedef struct process {
  waiters waiters;
  HANDLE handle;
  HANDLE thread; /* of one that we started, to be inherited or resumed; else NULL */
  HANDLE job;    /* NULL: opened, not started */
  DWORD pid;
  bool leads_group;                     /* Ctrl-Break reaches it and nobody else */
  volatile LONG busy;                   /* a thread is using the streams */
  connection *streams[PROCESS_STREAMS]; /* our ends that were not taken */
  process_feed feed;
  struct pseudo_console *console;
} process;

extern const handle_class process_class;

process *process_new(void);

/* Undoes process_new and closes whatever the process has by then. */
void process_discard(process *p);

/* The process, with its streams for the calling thread alone, or WINIPC_E_BUSY. */
winipc_status process_enter(const void *id, process **p);
void process_leave(const void *id, process *p);

#endif
