/* The last 64 bytes of a section that winipc made in the page file: how many bytes are
 * the user's, who made it, and whether its initialiser has run.
 *
 * Whoever may write the memory may write the trailer: what it says is believed only as
 * far as it is possible, and only to tell where the user's bytes end. */
#ifndef WINIPC_MEMORY_TRAILER_H
#define WINIPC_MEMORY_TRAILER_H

#include "core/win.h"

typedef struct memory_trailer {
  uint64_t bytes;
  uint64_t creator_start; /* a FILETIME: pids are used again */
  uint32_t creator;
  bool initialised;
} memory_trailer;

enum { MEMORY_TRAILER_SIZE = 64 };

/* Reads the trailer of a section of `whole` bytes. That there is none is no error. */
winipc_status memory_trailer_read(HANDLE section, uint64_t whole,
                                  memory_trailer *trailer, bool *found);

/* Makes this process the creator of `bytes` bytes. */
winipc_status memory_trailer_write(HANDLE section, uint64_t whole, uint64_t bytes);

winipc_status memory_trailer_set_initialised(HANDLE section, uint64_t whole);

/* When the process was started, or 0. */
uint64_t memory_trailer_process_start(HANDLE process);

#endif
