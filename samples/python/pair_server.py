"""Request and reply through shared memory: squares of numbers. The twin of samples/c/pair/pair_server.c.

python pair_server.py [ADDRESS] [CLIENTS]      channel:winipc-pair-sample, and for ever

Serves one client after the other. The verbs are those of a pipe: with the address pipe:squares, on both
sides, all is the same but the time that it takes.
"""

import itertools
import struct
import sys

import winipc

NUMBER = struct.Struct("<d")


def answer(client: winipc.Connection) -> None:
    answers = 0
    for request in client:  # until the client ends
        if len(request) != NUMBER.size:  # never trust what others write
            print(f"a request of {len(request)} bytes is no number", file=sys.stderr)
            break
        (number,) = NUMBER.unpack(request)
        client.send(NUMBER.pack(number * number), timeout=10)
        answers += 1
    print(f"answered {answers} times", flush=True)


def main(address: str = "channel:winipc-pair-sample", clients: str | None = None) -> None:
    with winipc.listen(address) as listener:
        print(f"serving at {address}", flush=True)
        for client in itertools.islice(listener, int(clients) if clients else None):
            with client:
                answer(client)


if __name__ == "__main__":
    main(*sys.argv[1:])
