#!/usr/bin/env python3
"""Builds, tests and shows winipc, and installs what that needs. Everything it makes lies in build/.

python3 dev.py demo [FILE]        the demonstration
python3 dev.py test [-k EXPR]     every test; or pytest alone, with its own arguments
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("dev.py needs Python 3.11 or newer")

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tools import (
    cmake,
    environment,
    packages,
    progress,
    quality,
    rivals,
    suites,
    wheel,
    windows_python,
    wine,
)
from tools.project import DEFAULT_PRESET, ON_WINDOWS, ROOT, building

Options = argparse.Namespace


def setup(options: Options) -> int:
    """install what is missing: packages, Wine prefix, Windows Python"""
    with building():
        if not ON_WINDOWS:
            packages.install()
        environment.need("build")
        wine.make_prefix()
        windows_python.need(windows_python.versions()[0])  # its headers are needed in any case
        if options.python:
            windows_python.need(options.python)
    return 0


def build(options: Options) -> int:
    """build the DLL, the Python package, the tests and the samples"""
    setup(options)
    with building():
        cmake.build(options.preset)
    return 0


def test(options: Options) -> int:
    """run ctest, pytest in each Windows Python, and the wheel; arguments go to pytest alone (or --ctest)"""
    parser = argparse.ArgumentParser(prog="dev.py test", allow_abbrev=False)
    parser.add_argument("--ctest", action="store_true", help="the C tests only; other arguments go to ctest")
    parser.add_argument("--python", default=options.python, help="in this Python only")
    parser.add_argument("--preset", default=options.preset)
    ours, rest = parser.parse_known_args(options.arguments)
    build(argparse.Namespace(preset=ours.preset, python=ours.python))
    results = []
    with wine.session():
        if ours.ctest or not rest:
            results.append(suites.ctest(ours.preset, rest))
        for version in [] if ours.ctest else [ours.python] if ours.python else windows_python.versions():
            with building():
                windows_python.need(version)
            results.append(suites.pytest(ours.preset, version, rest))
        if not ours.ctest and not rest:
            with building():
                wheel.check(wheel.build())
    print("", *results, sep="\n", flush=True)
    return 0 if all(result.passed for result in results) else 1


def script(path: str) -> Callable[[Options], int]:
    """A step that runs a script of ours in the Windows Python, with host paths translated for it."""

    def step(options: Options) -> int:
        if not (ROOT / path).exists():
            raise progress.Stop(f"{path} is missing")
        build(options)
        arguments = [wine.windows_path(Path(a)) if Path(a).exists() else a for a in options.arguments]
        words = windows_python.command(version(options), wine.windows_path(ROOT / path), *arguments)
        with wine.session():
            return wine.show(words, windows_python.variables(options.preset, version(options)))[0]

    step.__doc__ = f"run {path} in the Windows Python"
    return step


def version(options: Options) -> str:
    return options.python or windows_python.versions()[0]


def run_python(options: Options) -> int:
    """run the Windows Python, with winipc importable: python ARGUMENTS"""
    setup(options)
    with wine.session():
        return windows_python.call(options.preset, version(options), options.arguments)


def run(options: Options) -> int:
    """run a Windows program: run EXE ARGUMENTS"""
    if not options.arguments:
        raise progress.Stop("which program? dev.py run EXE ARGUMENTS")
    setup(options)
    with wine.session():
        words = wine.command(*options.arguments)
        return wine.call(words, windows_python.variables(options.preset, version(options)))


def bench(options: Options) -> int:
    """measure: bench --help, or bench channel --help for channels against their rivals"""
    if options.arguments[:1] != ["channel"]:
        return script("bench/run.py")(options)
    options.arguments.pop(0)
    if not {"--report", "--help", "-h"}.intersection(options.arguments):
        setup(options)
        with building():
            rivals.need(own_alone="--own" in options.arguments)
    return script("bench/channel/run.py")(options)


def make_wheel(options: Options) -> int:
    """build the wheel for Windows x64, and try it"""
    setup(options)
    with building(), wine.session():
        wheel.check(wheel.build())
    return 0


def lint(options: Options) -> int:
    """check the sources: clang-format, clang-tidy, ruff, mypy, length of functions"""
    build(options)
    return quality.lint(options.preset)


def format_sources(options: Options) -> int:
    """lay out the sources: clang-format, ruff format"""
    return quality.format_sources()


STEPS: dict[str, Callable[[Options], int]] = {
    "demo": script("samples/demo/demo.py"),
    "test": test,
    "build": build,
    "setup": setup,
    "python": run_python,
    "run": run,
    "bench": bench,
    "soak": script("tests/soak/soak.py"),
    "wheel": make_wheel,
    "format": format_sources,
    "lint": lint,
}


def parse(words: list[str]) -> Options:
    steps = "\n".join(f"  {name:8} {step.__doc__}" for name, step in STEPS.items())
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "dev.py", description=__doc__, epilog=f"steps:\n{steps}", formatter_class=form
    )
    parser.add_argument("--preset", default=DEFAULT_PRESET, help="of CMakePresets.json (%(default)s)")
    parser.add_argument("--python", help="3.11 or 3.14: the Windows Python to use")
    parser.add_argument("step", choices=STEPS, metavar="STEP", help="one of the steps below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="what the step takes")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    options = parse(words)
    progress.start_log()
    try:
        return STEPS[options.step](options)
    except progress.Stop as stop:
        print(f"dev.py: {stop}", file=sys.stderr)
    except KeyboardInterrupt:
        print("dev.py: interrupted", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
