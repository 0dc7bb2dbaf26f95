/* Memory that one party of a channel writes, and the others can only read.
 *
 *      0  a page for the control block of the reader that its owner is
 *   4096  the ring that its owner writes, if it writes one */
#ifndef WINIPC_REGION_H
#define WINIPC_REGION_H

#include "channel/ring.h"
#include "core/win.h"

typedef struct region {
  char *base; /* NULL: there is none */
  uint64_t size;
  bool writable;
} region;

enum { REGION_PAGE = 4096 };

static inline ring_control *region_control(const region *r) {
  return (ring_control *)r->base;
}
static inline bool region_has_ring(const region *r) {
  return r->base && r->size > REGION_PAGE;
}
static inline ring_header *region_ring(const region *r) {
  return (ring_header *)(r->base + REGION_PAGE);
}
static inline uint64_t region_ring_size(const region *r) {
  return r->size - REGION_PAGE;
}

/* The size of one whose ring has so many bytes; 0 for none. */
uint64_t region_size(uint64_t capacity);

/* Makes one of that size and maps it. The section's handle is the caller's. */
winipc_status region_create(region *r, uint64_t size, bool writable,
                            const winipc_channel_options *options, HANDLE *section);

/* Maps one that another process has made, once it is seen to be what it ought to: all
 * there, and with no file behind it that could fail at an access. */
winipc_status region_map(region *r, HANDLE section, uint64_t size, bool writable,
                         const winipc_channel_options *options);

void region_unmap(region *r);

#endif
