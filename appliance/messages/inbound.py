"""Payloads from outside: bounded before they are parsed, checked strictly, refused in one line that quotes nothing."""

from __future__ import annotations

import re
from typing import TypeVar

from pydantic import ConfigDict, ValidationError

from appliance.errors import RefusedError
from appliance.messages.model import Message, fault_of

MOST_DEPTH = 16
"""Of objects and arrays in each other; ours have four."""

_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
"""A whole string, to be passed over, or a bracket. Possessive, so that no payload makes it go back and try again."""


class Inbound(Message):
    """A payload from outside: `"10"` is not a number and 1 is not true."""

    model_config = ConfigDict(strict=True)


M = TypeVar("M", bound=Inbound)


def read_inbound(model: type[M], name: str, payload: bytes, most_bytes: int) -> M:
    """Raises `RefusedError` with the first fault and the key it is at, below `name`; the payload is never quoted.

    An empty payload is the hospital's way to withdraw a retained message: tell it apart before calling.
    """
    if len(payload) > most_bytes:
        raise RefusedError(f"{name}: {len(payload)} bytes; at most {most_bytes} are read")
    if _depth(payload) > MOST_DEPTH:
        raise RefusedError(f"{name}: nested deeper than {MOST_DEPTH} levels")
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise RefusedError(fault_of(error, name)) from None


def _depth(payload: bytes) -> int:
    depth = deepest = 0
    for found in _STRUCTURE.finditer(payload):
        if found[0] in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in (b"]", b"}"):
            depth -= 1
    return deepest
