"""Shared memory without a name: only a child that inherits its handle can get at it. The handle's value, the
same number in parent and child, goes on the command line.

python mapping_parent.py [CHILD...]      this Python with mapping_child.py

The child is any command that takes the number as its last argument, such as mapping_child.exe. The twin of
samples/c/inherited_mapping/mapping_parent.c.
"""

import sys
from pathlib import Path

import winipc

TWIN = (sys.executable, str(Path(__file__).with_name("mapping_child.py")))


def main(*child: str) -> int:
    with winipc.SharedMemory(size=4096, create=True, inheritable=True) as memory:
        text = b"what the parent wrote"
        memory.buf[: len(text)] = text
        command = [*(child or TWIN), str(memory.handle)]
        with winipc.Process(command, inherited=[memory.handle]) as process:  # this handle and no other
            code = process.wait(timeout=30)
        left = bytes(memory.buf).split(b"\0")[0].decode()
        print(f"the child ended with {code} and left: {left}", flush=True)
        return int(code != 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
