"""A child process with its standard output captured through an anonymous pipe.

python capture.py [COMMAND...]      cmd /c ver

Shows each piece of output as it comes, and at the end the child's exit code. The twin of
samples/c/capture/capture.c.
"""

import sys

import winipc


def main(*command: str) -> None:
    with winipc.Process(
        command or ("cmd", "/c", "ver"),
        stdout="pipe",
        stderr="merge",  # into the same pipe
        kill_with_parent=True,  # no child is left behind, however we end
    ) as child:
        total = 0
        for data in child.stdout:  # until its end
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            total += len(data)
        print(f"captured {total} bytes; exit code {child.wait(timeout=30)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
