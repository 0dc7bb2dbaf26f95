"""What frame_sender and frame_receiver agree on: the size of a picture, and what is in it, so that the
receiver can check each. The twin of samples/c/frames/frame.h.
"""

import struct

WIDTH, HEIGHT = 640, 480
LINE = WIDTH * 4  # bytes; four for each pixel
FRAME = LINE * HEIGHT
RING = 8 << 20  # bytes; a frame in one piece may have a quarter of the ring


def line(frame: int, y: int) -> bytes:
    """A line has one colour, which moves on with each frame."""
    colour = 0xFF000000 | (frame * 7919 + y * 257) & 0xFFFFFF
    return struct.pack("<I", colour) * WIDTH
