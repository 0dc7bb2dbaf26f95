/* One price of one share, as tick_publisher sends it and tick_subscriber prints it. The
 * same in samples/python/tick.py. */
#ifndef TICK_H
#define TICK_H

#include <stdint.h>

typedef struct tick { /* all numbers little-endian, as everywhere on Windows */
  char symbol[8];     /* ended by NUL when it is shorter */
  double price;
  int64_t volume;
} tick;

#endif
