"""Runs the soak scenarios (tests/soak/soak.c) for long, in turn, with seeds that can be played again.

python3 dev.py soak                               every scenario, ten minutes in all
python3 dev.py soak mix --seed 7 --seconds 600    one of them, again
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

SCENARIOS = ("mix", "kill", "cycles", "channel", "locks")
SLICE = 30  # seconds that one scenario runs with one seed


def run(scenario: str, seed: int, seconds: int) -> bool:
    program = Path(os.environ["WINIPC_BIN"]) / "soak.exe"
    done = subprocess.run(
        [program, scenario, str(seed), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds + 120,
    )
    # A crash can end in exit code 0 under Wine: the closing line must be there too.
    passed = done.returncode == 0 and done.stdout.rstrip().endswith("1 passed, 0 failed")
    rounds = next((line for line in done.stdout.splitlines() if line.endswith("rounds")), "no rounds")
    print(f"seed {seed}: {rounds}: {'passed' if passed else 'FAILED'}", flush=True)
    if not passed:
        print(done.stdout)
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py soak", description=__doc__, allow_abbrev=False)
    parser.add_argument("scenario", nargs="?", choices=SCENARIOS, help="(all of them in turn)")
    parser.add_argument("--seed", type=int, help="play this seed only")
    parser.add_argument("--seconds", type=int, default=600, help="in all (%(default)s)")
    options = parser.parse_args()
    scenarios = [options.scenario] if options.scenario else SCENARIOS
    one_seed = options.seed is not None
    share = options.seconds // len(scenarios) if one_seed else min(SLICE, options.seconds // len(scenarios))
    end = time.monotonic() + options.seconds
    seed = options.seed if one_seed else int(time.time())
    passed = failed = 0
    while True:
        for scenario in scenarios:
            if run(scenario, seed, max(share, 1)):
                passed += 1
            else:
                failed += 1
        seed += 1
        if one_seed or time.monotonic() >= end:
            break
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
