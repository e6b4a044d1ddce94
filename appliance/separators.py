"""CSV files whose cells are not separated by commas, as spreadsheets write them where the decimal sign is a comma."""

from __future__ import annotations

_SIGNS = {";": "semicolons", "\t": "tabs"}


def separator_hint(header: str) -> str:
    """To be added to a complaint about columns: what to do where the first line has more of other separators than of
    commas. Empty where it has not."""
    for sign, name in _SIGNS.items():
        if header.count(sign) > header.count(","):
            return f"; its cells seem to be separated by {name}: save it with commas, and decimal points in numbers"
    return ""
