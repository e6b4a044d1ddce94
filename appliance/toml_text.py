"""TOML as people and tools write it: whatever is wrong with it is one line."""

from __future__ import annotations

import codecs
import tomllib
from typing import Any


class TomlError(Exception):
    """What is wrong, without the file's name."""


def read_toml(data: bytes) -> dict[str, Any]:
    """A byte order mark, as some editors put first, is passed over. Raises `TomlError`."""
    try:
        return tomllib.loads(data.removeprefix(codecs.BOM_UTF8).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TomlError(f"not valid TOML: {error}") from None
    except RecursionError:
        raise TomlError("not valid TOML: nested too deeply") from None
    except ValueError:  # Python's bound on digits
        raise TomlError("not valid TOML: a number has too many digits") from None
