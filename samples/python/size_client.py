"""The client of size_server: sends each text with its size before it, then an empty message and one of a
million bytes, and prints what comes back. The twin of samples/c/size_prefixed/size_client.c.

python size_client.py [ADDRESS] [TEXT...]      pipe:winipc-size-sample stressed
"""

import sys

import winipc

LARGE = b"a" + b"-" * 999_998 + b"z"


def main(address: str = "pipe:winipc-size-sample", *texts: str) -> None:
    with winipc.connect(address, framing="u32", timeout=10) as server:
        for message in [*(text.encode() for text in texts or ["stressed"]), b"", LARGE]:
            server.send(message, timeout=10)
            show(server.receive(timeout=10).decode())


def show(answer: str) -> None:
    if len(answer) < 100:
        print(f'"{answer}"', flush=True)
    else:
        print(f"{len(answer)} bytes, from '{answer[0]}' to '{answer[-1]}'", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
