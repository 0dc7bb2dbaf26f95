"""One of many writers of a log: sends each line to log_collector.

python log_writer.py [ADDRESS] [LINE...]      channel:winipc-log-sample, three lines

It may be started before the collector: opening waits until the collector is there. The twin of
samples/c/logging/log_writer.c.
"""

import sys

import winipc


def main(address: str = "channel:winipc-log-sample", *lines: str) -> None:
    # A full ring waits: no line is lost. Each has the time of its sending.
    with winipc.Lane(address, fields="time", timeout=10) as log:
        for line in lines or ["started", "working", "done"]:
            log.send(line.encode(), timeout=10)
        log.drain(timeout=10)  # the collector has read them all


if __name__ == "__main__":
    main(*sys.argv[1:])
