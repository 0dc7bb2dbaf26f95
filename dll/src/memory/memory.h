/* Shared memory: a section of the system, and views of it. */
#ifndef WINIPC_MEMORY_H
#define WINIPC_MEMORY_H

#include "core/handle.h"
#include "core/win.h"

typedef struct memory_view memory_view;

typedef struct memory {
  HANDLE section;
  uint64_t bytes; /* what the user may map */
  uint64_t whole; /* what the section has, trailer included */
  uint64_t creator_start;
  uint32_t creator;
  uint32_t protection;
  bool exact;
  bool created;
  bool has_trailer;
  bool large_pages;
  SRWLOCK lock; /* over the views */
  memory_view *views;
} memory;

extern const handle_class memory_class;

#endif
