"""Prints the ticks of tick_publisher, and how many were lost where some were.

python tick_subscriber.py [ADDRESS] [oldest|now] [PAUSE]      channel:winipc-tick-sample now 0

`oldest` begins with the oldest tick that is still there, `now` with the next one. With a PAUSE of some
milliseconds after each tick it is too slow for the market. The twin of samples/c/ticks/tick_subscriber.c.
"""

import sys
import time

import winipc
from tick import TICK


def show(market: winipc.Subscriber, tick: bytes) -> int:
    """Print the tick that was received last; how many were lost before it."""
    if len(tick) != TICK.size:  # never trust what others write
        sys.exit(f"a message of {len(tick)} bytes is no tick")
    symbol, price, volume = TICK.unpack(tick)
    about = market.received
    if about.lost:
        print(f"lost {about.lost}", flush=True)
    name = symbol.rstrip(b"\0").decode(errors="replace")
    print(f"#{about.sequence} {name} {price:.2f} x {volume}", flush=True)
    return about.lost


def main(address: str = "channel:winipc-tick-sample", start: str = "now", pause: str = "0") -> None:
    received = lost = 0
    with winipc.Subscriber(address, from_oldest=start == "oldest", timeout=30) as market:
        for tick in market:  # until the end of the market
            lost += show(market, tick)
            received += 1
            time.sleep(int(pause) / 1000)
    print(f"received {received} ticks, lost {lost}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
