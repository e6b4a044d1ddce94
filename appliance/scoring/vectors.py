"""The steps of the search over one row of float32 costs, in vector registers.

Rows of a search are short. Where LLVM is left to find the vectors in a plain loop it first checks which arrays may
overlap and ends with what does not fill a vector, which takes longer than the row itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from appliance.scoring.tiles import LANES, spread

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, LANES)
_INDEX = ir.IntType(64)


class _Row:
    """The vectors of a one-dimensional array of float32."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self._builder, self._data = builder, array.data

    def _place(self, index: Any) -> Any:
        return self._builder.bitcast(self._builder.gep(self._data, [index]), _VECTOR.as_pointer())

    def load(self, index: Any) -> Any:
        return self._builder.load(self._place(index), align=4)

    def store(self, vector: Any, index: Any) -> None:
        self._builder.store(vector, self._place(index), align=4)


def _smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


def _greater(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _greatest(builder: Any, vector: Any) -> Any:
    """Of all lanes."""
    half = LANES // 2
    while half:
        picked = [ir.Constant(ir.IntType(32), (lane + half) % LANES) for lane in range(LANES)]
        other = builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(ir.IntType(32), LANES), picked))
        vector, half = _greater(builder, vector, other), half // 2
    return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def _every_vector(builder: Any, width: Any) -> Any:
    return cgutils.for_range_slice(builder, ir.Constant(_INDEX, 0), width, ir.Constant(_INDEX, LANES), _INDEX)


def _arrive(
    _context: Any,
    before: Any,
    first: Any,
    fall: Any,
    costs: Any,
    band: Any,
    start: Any,
    width: Any,
    level: Any,
    here: Any,
) -> Any:
    """Sets `here` to the costs of one frame; returns the steepest rise of `before`, from one column to the next.

    One arrives by staying, by falling by one at the cost `fall`, or by a jump of 1, 2, ... at those of the tuple
    `costs`, and pays the distance, of `band` from `start` on, less `level`. before, here: the costs of the frame before
    and of this one, column s at first + s. width: columns, whole vectors. The rise is 0 at least.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        froms, cells, out = (_Row(context, builder, signature.args[i], values[i]) for i in (0, 4, 8))
        first, start, width = values[1], values[5], values[6]
        falling, lowered = spread(builder, values[2], _VECTOR), spread(builder, values[7], _VECTOR)
        jumps = [spread(builder, builder.extract_value(values[3], i), _VECTOR) for i in range(len(costs))]
        with builder.goto_entry_block():
            steepest = builder.alloca(_VECTOR)
        builder.store(ir.Constant(_VECTOR, None), steepest)
        with _every_vector(builder, width) as (s, _):
            at = builder.add(first, s)
            stay, after = froms.load(at), froms.load(builder.add(at, ir.Constant(_INDEX, 1)))
            cheapest = _smaller(builder, stay, builder.fadd(after, falling))
            for jump, cost in enumerate(jumps, 1):
                lower = froms.load(builder.sub(at, ir.Constant(_INDEX, jump)))
                cheapest = _smaller(builder, builder.fadd(lower, cost), cheapest)
            distance = cells.load(builder.add(start, s))
            out.store(builder.fadd(builder.fsub(distance, lowered), cheapest), at)
            builder.store(_greater(builder, builder.fsub(after, stay), builder.load(steepest)), steepest)
        return _greatest(builder, builder.load(steepest))

    return types.float32(before, first, fall, costs, band, start, width, level, here), generate


def _rise(
    _context: Any,
    before: Any,
    first: Any,
    jump: Any,
    costs: Any,
    band: Any,
    start: Any,
    width: Any,
    level: Any,
    here: Any,
) -> Any:
    """Lowers the costs `here` by jumps of `jump`, `jump` + 1, ... at those of the tuple `costs`; all else as there."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        froms, cells, out = (_Row(context, builder, signature.args[i], values[i]) for i in (0, 4, 8))
        first, jump, start, width = values[1], values[2], values[5], values[6]
        lowered = spread(builder, values[7], _VECTOR)
        jumps = [spread(builder, builder.extract_value(values[3], i), _VECTOR) for i in range(len(costs))]
        with _every_vector(builder, width) as (s, _):
            at = builder.add(first, s)
            here, distance = out.load(at), builder.fsub(cells.load(builder.add(start, s)), lowered)
            for further, cost in enumerate(jumps):
                back = builder.add(jump, ir.Constant(_INDEX, further))
                lower = builder.fadd(froms.load(builder.sub(at, back)), cost)
                here = _smaller(builder, builder.fadd(distance, lower), here)
            out.store(here, at)
        return context.get_dummy_value()

    return types.void(before, first, jump, costs, band, start, width, level, here), generate


def _keep(_context: Any, here: Any, first: Any, band: Any, start: Any, width: Any, farthest: Any, greatest: Any) -> Any:
    """Puts the costs `here` in the place of the distances of `band` from `start` on.

    farthest, greatest: (width,), the largest distances and costs, by size, of each column so far.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        costs, cells, far, great = (_Row(context, builder, signature.args[i], values[i]) for i in (0, 2, 5, 6))
        with _every_vector(builder, values[4]) as (s, _):
            place = builder.add(values[3], s)
            cost = costs.load(builder.add(values[1], s))
            far.store(_greater(builder, cells.load(place), far.load(s)), s)
            great.store(_greater(builder, _greater(builder, cost, builder.fneg(cost)), great.load(s)), s)
            cells.store(cost, place)
        return context.get_dummy_value()

    return types.void(here, first, band, start, width, farthest, greatest), generate


_Generator = Callable[..., Any]
arrive: _Generator = intrinsic(_arrive)
rise: _Generator = intrinsic(_rise)
keep: _Generator = intrinsic(_keep)
