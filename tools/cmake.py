"""Configuring and building a preset of CMakePresets.json."""

from __future__ import annotations

import json
import os
import shutil

from tools import environment, packages, progress, stamps, windows_python
from tools.project import ON_WINDOWS, ROOT, preset_folder


def presets() -> list[str]:
    every = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    return [preset["name"] for preset in every if not preset.get("hidden")]


def _command() -> str:
    found = packages.find("cmake")
    if not found:
        raise progress.Stop("CMake 3.25 or newer is missing: winget install Kitware.CMake")
    return found


def _variables() -> dict[str, str]:
    return {**environment.variables(), "WINIPC_PYTHON_ROOT": str(windows_python.root())}


def build(preset: str) -> None:
    if preset not in presets():
        raise progress.Stop(f"no preset {preset!r}; there is: {', '.join(presets())}")
    environment.need("build")
    if preset.startswith("zig"):
        environment.need("zig")
    folder = preset_folder(preset)
    # A changed CMakeLists.txt is noticed by the build itself; a changed preset or toolchain is not.
    inputs = [ROOT / "CMakePresets.json", *sorted((ROOT / "cmake").glob("*.cmake"))]
    cache = folder / "CMakeCache.txt"
    stamps.once(f"configure-{preset}", cache, (str(ROOT), *inputs), lambda: _configure(preset))
    progress.say(f"building {preset}")
    words = ["--parallel", str(os.cpu_count() or 2), *(["--config", "RelWithDebInfo"] if ON_WINDOWS else [])]
    progress.run(f"building {preset}", _command(), "--build", folder, *words, environment=_variables())


def _configure(preset: str) -> None:
    progress.say(f"configuring {preset}")
    cache = preset_folder(preset) / "CMakeCache.txt"
    cache.unlink(missing_ok=True)  # a toolchain file is read once: it cannot change under a cache
    shutil.rmtree(cache.parent / "CMakeFiles", ignore_errors=True)
    progress.run(f"configuring {preset}", _command(), "--preset", preset, environment=_variables())
