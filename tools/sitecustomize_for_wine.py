"""Loaded by the Windows Pythons of the build at their start: steps around two gaps of Wine 8."""

import sys

if sys.platform == "win32":
    # shutil.copy2 and venv call CopyFile2 from 3.12 on: unimplemented, it ends the process
    try:
        import _winapi

        del _winapi.CopyFile2
    except (ImportError, AttributeError):
        pass
    # platform.* asks WMI from 3.12 on, which starts COM and ends in an unimplemented function
    sys.modules.setdefault("_wmi", None)  # type: ignore[arg-type]
