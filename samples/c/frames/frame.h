/* What frame_sender and frame_receiver agree on: the size of a picture, and what is in
 * it, so that the receiver can check each. The same in samples/python/frame.py. */
#ifndef FRAME_H
#define FRAME_H

#include <stdint.h>

enum {
  WIDTH = 640,
  HEIGHT = 480,
  FRAME = WIDTH * HEIGHT * 4, /* bytes; four for each pixel */
  RING = 8 << 20 /* bytes; a frame in one piece may have a quarter of the ring */
};

/* The colour of a whole line: it moves on with each frame. */
static inline uint32_t frame_colour(uint32_t frame, uint32_t line) {
  return 0xFF000000u | ((frame * 7919 + line * 257) & 0xFFFFFF);
}

#endif
