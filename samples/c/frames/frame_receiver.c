/* Pictures through shared memory without a copy: looks at each frame where frame_sender
 * has drawn it, and checks every pixel.
 *
 *   frame_receiver [ADDRESS]      channel:winipc-frame-sample
 *
 * Run frame_sender beside it, before or after, or samples/python/frame_sender.py. */
#define USED(f) \
  f(channel_options_init) f(channel_open) f(channel_peek) f(channel_release) \
  f(connection_close)
#include "../load.h"
#include "frame.h"

enum { PATIENCE = 10000, LEAST_RING = 4096 }; /* milliseconds, for each step; bytes */

static int is_as_drawn(const uint32_t *pixels, size_t size, uint32_t frame) {
  if (size != FRAME) return 0;
  for (uint32_t y = 0; y < HEIGHT; y++)
    for (uint32_t x = 0; x < WIDTH; x++)
      if (pixels[y * WIDTH + x] != frame_colour(frame, y)) return 0;
  return 1;
}

/* Looks at all frames until the sender ends; how many they were. */
static uint32_t look(winipc_connection *sender) {
  const void *pixels; /* in the ring, until the release: read-only */
  size_t size;
  winipc_status status;
  uint32_t frame = 0;
  while ((status = ipc.channel_peek(sender, PATIENCE, &pixels, &size)) == 0) {
    if (!is_as_drawn(pixels, size, frame)) {
      fprintf(stderr, "frame %u is not as it was drawn\n", frame);
      exit(1);
    }
    check("release", ipc.channel_release(sender)); /* the sender has its room again */
    frame++;
  }
  if (status != WINIPC_E_DISCONNECTED) check("peek", status);
  return frame;
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "channel:winipc-frame-sample";
  winipc_channel_options options;
  winipc_connection *sender;
  load_winipc();
  ipc.channel_options_init(&options);
  options.capacity = LEAST_RING; /* of the ring for the other direction, unused here */
  check("open", ipc.channel_open(address, &options, PATIENCE, &sender));
  printf("%u frames, all as drawn\n", look(sender));
  ipc.connection_close(sender);
  return 0;
}
