"""CSV files whose cells are not separated by commas, as spreadsheets write them where the decimal sign is a comma."""

from __future__ import annotations

from collections.abc import Sequence

_SIGNS = {";": "semicolons", "\t": "tabs"}


def separator_hint(header: Sequence[str]) -> str:
    """To be added to a complaint that a column is missing: what to do where the first line, split at its commas, is one
    cell that holds other separators. Empty where it is not."""
    if len(header) == 1:
        for sign, name in _SIGNS.items():
            if sign in header[0]:
                return f"; its cells seem to be separated by {name}: save it with commas, and decimal points in numbers"
    return ""
