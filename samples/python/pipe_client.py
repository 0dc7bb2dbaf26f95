"""The client of pipe_server: sends each name as one message, and prints each answer.

python pipe_client.py [ADDRESS] [NAME...]      pipe:winipc-sample world

It may be started before the server: connecting waits until the server is there.
"""

import sys

import winipc


def main(address: str = "pipe:winipc-sample", *names: str) -> None:
    with winipc.connect(address, timeout=10) as server:
        for name in names or ["world"]:
            server.send(name.encode(), timeout=10)
            print(server.receive(timeout=10).decode(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
