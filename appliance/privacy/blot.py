"""Identifiers of patients are blotted out of text that people read who need not know them, however they are written."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote

BLOT = "[a patient]"
_SHORTEST = 6
"""Letters; a shorter identifier is blotted out where it stands alone, for as a part of words it would be anywhere."""


class Blot:
    """Puts `BLOT` for each of the identifiers: as text, and as JSON, Python or an address write it."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        known = {one for one in identifiers if any(sign.isalnum() for sign in one)}  # any other identifies nobody
        ways = sorted(
            {_pattern(way, len(one) < _SHORTEST) for one in known for way in _ways(one)}, key=len, reverse=True
        )
        self._pattern = re.compile("|".join(ways), re.IGNORECASE) if ways else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(BLOT, text) if self._pattern is not None else text


def _ways(identifier: str) -> Iterator[str]:
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, identifier)
        yield from (text, quote(text, safe=""))
        yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
        yield from (ascii(text)[1:-1], repr(text)[1:-1], repr(text.encode("utf-8", "replace"))[2:-1])


def _pattern(way: str, alone: bool) -> str:
    pattern = re.escape(way).replace("\\\\", "\\\\+")  # text in quoted text in quoted text: the backslashes double
    return rf"(?<![^\W_]){pattern}(?![^\W_])" if alone else pattern
