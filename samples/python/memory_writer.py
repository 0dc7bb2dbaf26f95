"""Named shared memory with a mutex and events: writes lines on a board.

python memory_writer.py [NAME] [LINE...]      winipc-memory-sample, three lines

Run memory_reader beside it, before or after. The twin of samples/c/shared_memory/memory_writer.c.
"""

import sys

from memory_board import ROOM, Board


def append(board: Board, line: str) -> None:
    data = line.encode() + b"\n"
    with board:
        used, finished = board.state
        fits = len(data) <= ROOM - used
        if fits:
            board.text[used : used + len(data)] = data
            board.state = used + len(data), finished
    board.written.set()
    print("wrote:" if fits else "no room for:", line, flush=True)


def finish(board: Board) -> None:
    with board:
        board.state = board.state[0], 1
    board.written.set()
    # Memory lives as long as somebody has it open: stay until the reader has it all.
    board.taken.wait(timeout=10)


def main(name: str = "winipc-memory-sample", *lines: str) -> None:
    board = Board(name)
    for line in lines or ["one", "two", "three"]:
        append(board, line)
    finish(board)
    print("the reader has it all", flush=True)
    board.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
