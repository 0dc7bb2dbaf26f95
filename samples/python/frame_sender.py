"""Pictures through shared memory without a copy: draws each frame in the channel itself.

python frame_sender.py [ADDRESS] [FRAMES]      channel:winipc-frame-sample 60

Run frame_receiver beside it, before or after. The twin of samples/c/frames/frame_sender.c.
"""

import sys

import winipc
from frame import FRAME, HEIGHT, LINE, RING, line


def draw(pixels: memoryview, frame: int) -> None:
    for y in range(HEIGHT):
        pixels[y * LINE : (y + 1) * LINE] = line(frame, y)


def main(address: str = "channel:winipc-frame-sample", frames: str = "60") -> None:
    with winipc.Channel(address, capacity=RING, timeout=10) as receiver:
        for frame in range(int(frames)):
            # In the ring; waits while the receiver is too far behind. It is sent at the end of the block.
            with receiver.reserve(FRAME, timeout=10) as pixels:
                draw(pixels, frame)
        print(f"sent {frames} frames", flush=True)  # and can still be received when we have gone


if __name__ == "__main__":
    main(*sys.argv[1:])
