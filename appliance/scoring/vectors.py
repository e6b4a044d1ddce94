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
        self._builder, self._data, self.length = builder, array.data, builder.extract_value(array.shape, 0)

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


def _every_vector(builder: Any, row: _Row) -> Any:
    return cgutils.for_range_slice(builder, ir.Constant(_INDEX, 0), row.length, ir.Constant(_INDEX, LANES), _INDEX)


def _stay_or_fall(_context: Any, before: Any, first: Any, fall: Any, least: Any) -> Any:
    """Sets `least` to the cheaper of staying and of falling by one, at the cost `fall`; returns the steepest rise.

    before: the costs of the frame before, column s at first + s; least: (columns,), whole vectors. The rise is from
    one column to the next, 0 at least.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        costs, out = (_Row(context, builder, signature.args[i], values[i]) for i in (0, 3))
        falling = spread(builder, values[2], _VECTOR)
        with builder.goto_entry_block():
            steepest = builder.alloca(_VECTOR)
        builder.store(ir.Constant(_VECTOR, None), steepest)
        with _every_vector(builder, out) as (s, _):
            at = builder.add(values[1], s)
            here, after = costs.load(at), costs.load(builder.add(at, ir.Constant(_INDEX, 1)))
            out.store(_smaller(builder, here, builder.fadd(after, falling)), s)
            rise = builder.fsub(after, here)
            builder.store(_greater(builder, rise, builder.load(steepest)), steepest)
        return _greatest(builder, builder.load(steepest))

    return types.float32(before, first, fall, least), generate


def _rise(_context: Any, before: Any, first: Any, costs: Any, least: Any) -> Any:
    """Lowers `least` by the jumps from the columns first + s, first + s - 1, ..., one for each of the tuple `costs`."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        froms, out = (_Row(context, builder, signature.args[i], values[i]) for i in (0, 3))
        jumps = [spread(builder, builder.extract_value(values[2], i), _VECTOR) for i in range(len(costs))]
        with _every_vector(builder, out) as (s, _):
            at = builder.add(values[1], s)
            cheapest = out.load(s)
            for back, cost in enumerate(jumps):
                start = froms.load(builder.sub(at, ir.Constant(_INDEX, back)))
                cheapest = _smaller(builder, builder.fadd(start, cost), cheapest)
            out.store(cheapest, s)
        return context.get_dummy_value()

    return types.void(before, first, costs, least), generate


def _arrive(
    _context: Any, band: Any, start: Any, least: Any, level: Any, before: Any, first: Any, farthest: Any, greatest: Any
) -> Any:
    """Turns the distances of `band` from `start` on into costs: less `level`, and with `least`.

    Copies them to `before` from `first` on. farthest, greatest: the largest distances and costs, by size, of each
    column so far.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        cells, arriving, copy, far, great = (
            _Row(context, builder, signature.args[i], values[i]) for i in (0, 2, 4, 6, 7)
        )
        lowered = spread(builder, values[3], _VECTOR)
        with _every_vector(builder, arriving) as (s, _):
            place = builder.add(values[1], s)
            distance = cells.load(place)
            cost = builder.fadd(builder.fsub(distance, lowered), arriving.load(s))
            size = _greater(builder, cost, builder.fneg(cost))
            far.store(_greater(builder, distance, far.load(s)), s)
            great.store(_greater(builder, size, great.load(s)), s)
            cells.store(cost, place)
            copy.store(cost, builder.add(values[5], s))
        return context.get_dummy_value()

    return types.void(band, start, least, level, before, first, farthest, greatest), generate


_Generator = Callable[..., Any]
stay_or_fall: _Generator = intrinsic(_stay_or_fall)
rise: _Generator = intrinsic(_rise)
arrive: _Generator = intrinsic(_arrive)
