"""A named pipe that keeps messages apart: requests and answers. The twin of samples/c/pipe/pipe_server.c.

python pipe_server.py [ADDRESS] [CLIENTS]      pipe:winipc-sample, and for ever

Greets whoever writes, one client after the other. Only the user who runs it can connect.
"""

import itertools
import sys

import winipc


def main(address: str = "pipe:winipc-sample", clients: str | None = None) -> None:
    with winipc.listen(address) as listener:
        print(f"serving at {address}", flush=True)
        for client in itertools.islice(listener, int(clients) if clients else None):
            print(f"a client: process {client.peer.pid}", flush=True)
            with client:
                for name in client:  # until the client ends
                    answer = b"hello, " + name
                    client.send(answer, timeout=10)
                    print(f"answered: {answer.decode()}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
