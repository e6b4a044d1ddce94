"""Seconds as the value of an option."""

from __future__ import annotations

import math
from typing import Any

import click

DAY_S = 86_400.0


class Seconds(click.FloatRange):
    """From `least` to `most`, a day unless it says otherwise; and a number, for a range alone lets NaN through."""

    def __init__(self, least: float, most: float | None = DAY_S, *, min_open: bool = False) -> None:
        super().__init__(least, most, min_open=min_open)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds
