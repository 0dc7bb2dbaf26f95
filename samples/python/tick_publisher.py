"""One to many through shared memory: market ticks to however many subscribers.

python tick_publisher.py [ADDRESS] [TICKS] [SUBSCRIBERS]      channel:winipc-tick-sample 300 1

Publishes TICKS ticks, waits until there are SUBSCRIBERS subscribers, and publishes as many again. The ring
keeps the last 100 ticks or so: a subscriber that comes late may begin with the oldest of them, and one that
is slower than the market loses ticks and learns how many. The publisher never waits for any of them.

Run tick_subscriber beside it, as often as you like. The twin of samples/c/ticks/tick_publisher.c.
"""

import sys
import time

import winipc
from tick import TICK

RING = 4096  # bytes: small, so that losses can be seen


def publish(market: winipc.Publisher, numbers: range) -> None:
    for i in numbers:
        market.send(TICK.pack(b"ACME", 100 + i % 40 / 4, 10 + i % 7), timeout=30)
        if i % 5 == 0:
            time.sleep(0.001)  # the market breathes


def main(address: str = "channel:winipc-tick-sample", ticks: str = "300", subscribers: str = "1") -> None:
    each = int(ticks)
    # A full ring overwrites its oldest ticks; each tick has its number.
    with winipc.Publisher(address, capacity=RING, fields="sequence") as market:
        publish(market, range(each))
        print(f"published {each} ticks; waiting for {subscribers} subscribers", flush=True)
        while len(winipc.channel_members(address)) < 1 + int(subscribers):  # the publisher is a member too
            time.sleep(0.02)
        publish(market, range(each, 2 * each))
        print(f"published {each} ticks more", flush=True)  # subscribers still get what is in the ring


if __name__ == "__main__":
    main(*sys.argv[1:])
