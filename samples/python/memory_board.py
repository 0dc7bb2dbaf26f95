"""What memory_writer and memory_reader share: a board of text in named memory, the mutex that guards it, and
two events. Whoever comes first creates them; all begins as zero. The twin of samples/c/shared_memory.
"""

import struct
import sys

import winipc

HEADER = struct.Struct("<II")  # bytes of the text so far; 1 when there will be no more
ROOM = 4096 - HEADER.size


class Board:
    """`with board:` locks it."""

    def __init__(self, name: str) -> None:
        # Named objects of all kinds share one list of names, hence the endings.
        self.memory = winipc.SharedMemory(name, HEADER.size + ROOM, timeout=10)
        self.mutex = winipc.Mutex(f"{name}-mutex")
        self.written = winipc.Event(f"{name}-written")  # there may be new text
        self.taken = winipc.Event(f"{name}-taken")  # the reader has all of it

    @property
    def state(self) -> tuple[int, int]:
        return HEADER.unpack_from(self.memory.buf)

    @state.setter
    def state(self, used_and_finished: tuple[int, int]) -> None:
        HEADER.pack_into(self.memory.buf, 0, *used_and_finished)

    @property
    def text(self) -> memoryview:
        return self.memory.buf[HEADER.size :]

    def __enter__(self) -> None:
        self.mutex.lock(timeout=10)
        if self.mutex.abandoned:
            print("the other side ended while it held the board", file=sys.stderr)

    def __exit__(self, *_: object) -> None:
        self.mutex.unlock()

    def close(self) -> None:
        for part in (self.taken, self.written, self.mutex, self.memory):
            part.close()
