"""The payload's way to the worker: two blocks of shared memory that change hands.

The memory begins with a header, guarded by a mutex: for each block whether it is full, that is the worker's,
and its size; an empty one is the end of the file. The blocks begin at byte 4096. Whoever changes the header
sets an event: `filled` or `emptied`. So one side can fill a block while the other works on the other one.
"""

import struct

import winipc

PATIENCE = 30  # seconds
COUNT = 2
FIRST_BLOCK = 4096
STATE = struct.Struct("<II")  # of each block: full, size


class WorkerGone(ConnectionError):
    """The worker has ended."""


class Blocks:
    def __init__(self, name: str, room: int, worker: winipc.Process) -> None:
        self.name, self.worker = name, worker
        self.memory = winipc.SharedMemory(name, FIRST_BLOCK + COUNT * room, create=True)
        self.mutex = winipc.Mutex(f"{name}-mutex", mode="create")
        self.filled = winipc.Event(f"{name}-filled", mode="create")
        self.emptied = winipc.Event(f"{name}-emptied", mode="create")
        starts = range(FIRST_BLOCK, FIRST_BLOCK + COUNT * room, room)
        self.blocks = [self.memory.buf[start : start + room] for start in starts]
        self.turn = 0

    def wait(self) -> memoryview:
        """The next block, once it is ours."""
        while self._is_full():
            if winipc.wait([self.emptied, self.worker], timeout=PATIENCE) == 1:
                raise WorkerGone
        return self.blocks[self.turn]

    def hand_over(self, size: int) -> None:
        self._lock()
        STATE.pack_into(self.memory.buf, self.turn * STATE.size, 1, size)
        self.mutex.unlock()
        self.filled.set()
        self.turn = (self.turn + 1) % COUNT

    def _is_full(self) -> bool:
        self._lock()
        full, _ = STATE.unpack_from(self.memory.buf, self.turn * STATE.size)
        self.mutex.unlock()
        return bool(full)

    def _lock(self) -> None:
        self.mutex.lock(timeout=PATIENCE)
        if self.mutex.abandoned:  # the worker died while it held the mutex
            self.mutex.unlock()
            raise WorkerGone

    def close(self) -> None:
        for block in self.blocks:
            block.release()
        for part in (self.emptied, self.filled, self.mutex, self.memory):
            part.close()
