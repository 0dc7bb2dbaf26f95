"""Pictures through shared memory without a copy: looks at each frame where frame_sender has drawn it, and
checks every pixel.

python frame_receiver.py [ADDRESS]      channel:winipc-frame-sample

Run frame_sender beside it, before or after. The twin of samples/c/frames/frame_receiver.c.
"""

import itertools
import sys

import winipc
from frame import FRAME, HEIGHT, LINE, line

LEAST_RING = 4096  # bytes


def is_as_drawn(pixels: memoryview, frame: int) -> bool:
    return len(pixels) == FRAME and all(
        pixels[y * LINE : (y + 1) * LINE] == line(frame, y) for y in range(HEIGHT)
    )


def look(sender: winipc.Channel) -> int:
    """Look at all frames until the sender ends; how many they were."""
    for frame in itertools.count():
        try:
            loan = sender.peek(timeout=10)
        except winipc.Disconnected:
            return frame
        with loan as pixels:  # in the ring: read-only; at the end the sender has its room again
            if not is_as_drawn(pixels, frame):
                sys.exit(f"frame {frame} is not as it was drawn")
    raise AssertionError  # count() has no end


def main(address: str = "channel:winipc-frame-sample") -> None:
    # The capacity is that of the ring for the other direction, unused here.
    with winipc.Channel(address, capacity=LEAST_RING, timeout=10) as sender:
        print(f"{look(sender)} frames, all as drawn", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
