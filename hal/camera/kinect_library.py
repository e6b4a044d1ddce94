"""Loading pyk4a, only once a Kinect or the maker's reader is asked for."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

from hal.errors import DeviceNotFoundError


def load_pyk4a(library: Path | None = None) -> Any:
    """The binding, with another `libk4a.so` in place of its own where one is named. Raises `DeviceNotFoundError`.

    A library loaded globally before pyk4a comes first in the linker's search, so its functions are the ones used.
    """
    os.environ.setdefault("K4A_LOG_LEVEL", "c")  # what goes wrong is raised; the library would also write it to stderr
    try:
        if library is not None:
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
        import pyk4a
    except OSError as error:
        raise DeviceNotFoundError(f"camera.library: {library} cannot be loaded ({error})") from None
    except ImportError as error:
        raise DeviceNotFoundError(
            f"Kinect: pyk4a cannot be loaded ({error}); on x86-64 install pyk4a-bundle, elsewhere build pyk4a "
            "with the maker's SDK"
        ) from None
    return pyk4a
