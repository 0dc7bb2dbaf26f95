"""The client of pair_server: asks for the square of each number, then times a thousand questions more.

python pair_client.py [ADDRESS] [NUMBER...]      channel:winipc-pair-sample 1.5

It may be started before the server: connecting waits until the server is there.
"""

import struct
import sys
import time

import winipc

NUMBER = struct.Struct("<d")
QUESTIONS = 1000


def ask(server: winipc.Connection, number: float) -> float:
    server.send(NUMBER.pack(number), timeout=10)
    square: float = NUMBER.unpack(server.receive(timeout=10))[0]
    return square


def time_questions(server: winipc.Connection) -> None:
    start = time.perf_counter()
    for i in range(QUESTIONS):
        ask(server, i)
    each = (time.perf_counter() - start) / QUESTIONS
    print(f"{QUESTIONS} questions more: {each * 1e6:.1f} microseconds each", flush=True)


def main(address: str = "channel:winipc-pair-sample", *numbers: str) -> None:
    with winipc.connect(address, timeout=10) as server:
        for number in numbers or ["1.5"]:
            print(f"{ask(server, float(number)):g}", flush=True)
        time_questions(server)


if __name__ == "__main__":
    main(*sys.argv[1:])
