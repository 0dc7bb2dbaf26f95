/* Pictures through shared memory without a copy: draws each frame in the channel
 * itself.
 *
 *   frame_sender [ADDRESS] [FRAMES]      channel:winipc-frame-sample 60
 *
 * Run frame_receiver beside it, before or after, or samples/python/frame_receiver.py.
 */
#define USED(f) \
  f(channel_options_init) f(channel_open) f(channel_reserve) f(channel_commit) \
  f(connection_close)
#include "../load.h"
#include "frame.h"

enum { PATIENCE = 10000 }; /* milliseconds, for each step */

static void draw(uint32_t *pixels, uint32_t frame) {
  for (uint32_t y = 0; y < HEIGHT; y++)
    for (uint32_t x = 0; x < WIDTH; x++) pixels[y * WIDTH + x] = frame_colour(frame, y);
}

int main(int count, char **arguments) {
  const char *address = count > 1 ? arguments[1] : "channel:winipc-frame-sample";
  uint32_t frames = count > 2 ? (uint32_t)atoi(arguments[2]) : 60;
  winipc_channel_options options;
  winipc_connection *receiver;
  load_winipc();
  ipc.channel_options_init(&options);
  options.capacity = RING;
  check("open", ipc.channel_open(address, &options, PATIENCE, &receiver));
  for (uint32_t frame = 0; frame < frames; frame++) {
    void *pixels; /* in the ring; waits while the receiver is too far behind */
    check("reserve", ipc.channel_reserve(receiver, FRAME, PATIENCE, &pixels));
    draw(pixels, frame);
    check("commit", ipc.channel_commit(receiver, FRAME));
  }
  printf("sent %u frames\n", frames);
  ipc.connection_close(receiver); /* what was sent can still be received */
  return 0;
}
