"""A byte pipe, where a 32-bit little-endian size goes before each message: the wire format of browsers'
native messaging hosts and of many a program of one's own. The twin of samples/c/size_prefixed/size_server.c.

python size_server.py [ADDRESS]      pipe:winipc-size-sample

Answers each message of one client with the same bytes in reverse, then ends.
"""

import sys

import winipc


def main(address: str = "pipe:winipc-size-sample") -> None:
    with winipc.listen(address, type="byte", framing="u32") as listener:
        print(f"serving at {address}", flush=True)
        with listener.accept() as client:
            for message in client:  # whole messages, however the bytes came
                client.send(message[::-1], timeout=10)
                print(f"answered {len(message)} bytes", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
