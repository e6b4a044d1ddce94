"""What must not leave in a bundle is taken out of every text of it: who the patients are, and what is secret.

Nothing that goes in is meant to hold either. This is for the line of a log that does, all the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance.privacy.blot import Blot

LEFT_OUT = "[left out]"

_STORED = re.compile(rb'"(?:subject|holder)"\s*:\s*("(?:[^"\\]|\\.){1,2048}")')
"""How all files of the box keep a patient's identifier, the outbox's payloads among them."""
_BLOCK, _LONGEST = 1 << 20, 4096
_NAMES = r"(?:pass(?:word|wd|phrase|code)|secret|token|credential|api[_-]?key|authorization|(?<![a-z])(?:pin|psk|pwd))"
_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[^\n]+)"""
_SECRETS = tuple(
    (re.compile(pattern, re.IGNORECASE), put)
    for pattern, put in (
        (r"-----BEGIN [A-Z0-9 ]+-----(?s:.*?)(?:-----END [A-Z0-9 ]+-----|\Z)", LEFT_OUT),
        (r"(?<=//)[^/\s]+@", f"{LEFT_OUT}@"),  # of an address
        (r"(?<![^\s\"'=(])[^\s:/@\"'=(]{1,128}:[^\s/@]{1,128}@(?=\w)", f"{LEFT_OUT}@"),  # of one without scheme
        (rf"({_NAMES}(?![a-z])[\w-]*[\\\"']*[ \t]*[=:][ \t]*|--[\w-]*(?:{_NAMES}|code)[\w-]*[ =])(?!\[left){_VALUE}",
         rf"\1{LEFT_OUT}"),
        (r"\b((?:basic|bearer)[ ]+)[a-z0-9+/=._~-]{6,}", rf"\1{LEFT_OUT}"),
        (r"\b(codes?[\\\"']*[ \t]*[=:][ \t]*)(?!exited|killed|dumped)[\\\"']*[\w-]{4,}", rf"\1{LEFT_OUT}"),
        (rf"(\bE?SSID[\\\"']*[ \t]*[=: ][ \t]*|access point:[ \t]*){_VALUE}", rf"\1{LEFT_OUT}"),
    )
)  # fmt: skip
_HARDWARE_ADDRESS = re.compile(r"(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])", re.IGNORECASE)


class Redaction:
    """patients: their identifiers. own: the box's own hardware addresses; a neighbour's would tell where it stands."""

    def __init__(self, patients: Iterable[str], own: Iterable[str]) -> None:
        self._blot = Blot(patients)
        self._own = frozenset(address.lower() for address in own) | {"ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}

    def text(self, text: str) -> str:
        for pattern, put in _SECRETS:
            text = pattern.sub(put, text)
        text = _HARDWARE_ADDRESS.sub(lambda at: at[0] if at[0].lower() in self._own else LEFT_OUT, text)
        return self._blot(text)

    def value(self, value: Any) -> Any:
        """Of JSON: each text in it, keys as well."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.value(one) for key, one in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self.value(one) for one in value]
            case bool() | int() | float() | None:
                return value
            case _:
                return self.text(str(value))


def known_patients(state: Path) -> set[str]:
    """Whose identifier any file of the state folder holds, as text: ledger, progress, results, the queue and what was
    set aside of it. Recordings are not read: whose they are, the ledger and the results beside them say."""
    found = set()
    for file in state.rglob("*"):
        if file.suffix != ".mcap" and file.is_file() and not file.is_symlink():
            found |= set(_identifiers(file))
    return found


def _identifiers(file: Path) -> Iterator[str]:
    """Read in blocks: the daemon may shorten a file meanwhile."""
    rest, texts = b"", set[bytes]()
    with suppress(OSError), file.open("rb") as data:
        while block := data.read(_BLOCK):
            texts |= {at[1] for at in _STORED.finditer(rest + block)}
            rest = (rest + block)[-_LONGEST:]
    for text in texts:
        try:
            yield str(json.loads(text))
        except ValueError:  # half overwritten; its bytes are all there is to know of it
            yield text[1:-1].decode("utf-8", "replace")
