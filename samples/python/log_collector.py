"""Many to one through shared memory: prints the lines of all log writers, each with its time and the
writer's pid.

python log_collector.py [ADDRESS] [LINES]      channel:winipc-log-sample, and for ever

Run log_writer beside it, as often as you like, before or after. A writer that dies disturbs none of the
others. The twin of samples/c/logging/log_collector.c.
"""

import itertools
import sys

import winipc


def main(address: str = "channel:winipc-log-sample", lines: str | None = None) -> None:
    with winipc.Funnel(address) as log:
        print(f"collecting at {address}", flush=True)
        for line in itertools.islice(log, int(lines) if lines else None):
            about = log.received
            time = about.time.strftime("%H:%M:%S.%f")[:-3] if about.time else "--:--:--.---"
            print(f"{time} [{about.sender}] {line.decode(errors='replace')}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
