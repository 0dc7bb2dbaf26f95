"""The child of mapping_parent: adopts the shared memory whose handle it has inherited, and turns its text
into capitals. The twin of samples/c/inherited_mapping/mapping_child.c.

python mapping_child.py HANDLE      started by mapping_parent
"""

import sys

import winipc


def main(handle: str) -> None:
    with winipc.SharedMemory.from_handle(int(handle)) as memory:
        print(f"the child inherited {memory.size} bytes", flush=True)
        text = bytes(memory.buf).split(b"\0")[0]
        memory.buf[: len(text)] = text.upper()


if __name__ == "__main__":
    main(*sys.argv[1:])
