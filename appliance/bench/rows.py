"""What a benchmark says: one row a figure, with its limit where there is one and a peer's figure where there is one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """limit: None for a figure that is only reported. at_most: a value at the limit or below is good, else above.

    peer: what `peer_name` reaches in the same run, on the same input.
    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_most: bool = True
    peer_name: str | None = None
    peer: float | None = None

    @property
    def ok(self) -> bool:
        if self.limit is None:
            return True
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def as_json(self) -> dict[str, str | float | bool | None]:
        row: dict[str, str | float | bool | None] = {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "limit": self.limit,
            "ok": self.ok,
        }
        if self.peer_name is not None and self.peer is not None:
            row |= {
                "peer_name": self.peer_name,
                "peer": self.peer,
                "ratio": self.value / self.peer if self.peer else None,
            }
        return row
