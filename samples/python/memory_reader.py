"""Named shared memory with a mutex and events: prints what memory_writer writes, as it comes.

python memory_reader.py [NAME]      winipc-memory-sample

Run memory_writer beside it, before or after. The twin of samples/c/shared_memory/memory_reader.c.
"""

import sys

from memory_board import ROOM, Board


def news(board: Board, shown: int) -> tuple[bytes, bool]:
    """The text that is new, and whether there will be no more."""
    with board:
        used, finished = board.state
        if not shown <= used <= ROOM:  # never trust what others write
            sys.exit("the board is in disorder")
        return bytes(board.text[shown:used]), bool(finished)


def main(name: str = "winipc-memory-sample") -> None:
    board = Board(name)
    shown, finished = 0, False
    while not finished:
        text, finished = news(board, shown)
        shown += len(text)
        print(text.decode(), end="", flush=True)
        if not finished:
            board.written.wait(timeout=10)
    board.taken.set()
    print(f"read {shown} bytes", flush=True)
    board.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
