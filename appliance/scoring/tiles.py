"""Squared distances of a few frames to many at once, in vector registers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

ROWS = 4
"""Frames of the base in one tile."""
LANES = 16
"""Frames of the reference in one tile. So few sums stay in the registers of any machine that the box runs on."""


def _add_tile(_context: Any, base: Any, reference: Any, column: Any, first: Any, last: Any, out: Any, at: Any) -> Any:
    """out[i, at + j] += sum_k (base[i, k] - reference[k, column + j])^2 over first <= k < last, for a whole tile.

    From first = 0 on, `out` is set instead.

    base: (ROWS, coordinates); reference: (coordinates, frames); out: (ROWS, columns); all C-contiguous and of one
    floating type; the others int64. Nothing is checked: `column + LANES` and `at + LANES` must lie inside.

    Written in vectors of `LANES` numbers, which LLVM cuts into those of the machine: where it is left to find the
    vectors itself, it keeps the sums in memory, at half the speed.
    """
    signature = types.void(base, reference, column, first, last, out, at)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = (context.make_array(signature.args[i])(context, builder, values[i]) for i in (0, 1, 5))
        (here, here_row), (there, there_row), (sums, sums_row) = (
            (array.data, builder.extract_value(array.shape, 1)) for array in arrays
        )
        column, first, last, at = (values[i] for i in (2, 3, 4, 6))
        number, index = context.get_data_type(base.dtype), column.type
        vector = ir.VectorType(number, LANES)
        align = context.get_abi_sizeof(number)

        def places(start: Any, row_length: Any) -> list[Any]:
            rows = (builder.mul(row_length, ir.Constant(index, i)) for i in range(ROWS))
            return [builder.gep(start, [row]) for row in rows]

        def lanes(start: Any, place: Any) -> Any:
            return builder.bitcast(builder.gep(start, [place]), vector.as_pointer())

        frames = places(here, here_row)
        outs = [lanes(start, at) for start in places(sums, sums_row)]
        with builder.goto_entry_block():
            totals = [builder.alloca(vector) for _ in range(ROWS)]
        begun = builder.icmp_signed(">", first, ir.Constant(index, 0))
        for total, out_at in zip(totals, outs, strict=True):
            builder.store(ir.Constant(vector, None), total)
            with builder.if_then(begun):
                builder.store(builder.load(out_at, align=align), total)
        with cgutils.for_range_slice(builder, first, last, ir.Constant(index, 1), index) as (k, _):
            others = builder.load(lanes(there, builder.add(builder.mul(k, there_row), column)), align=align)
            for frame, total in zip(frames, totals, strict=True):
                difference = builder.fsub(spread(builder, builder.load(builder.gep(frame, [k])), vector), others)
                square = builder.fmul(difference, difference, flags=("contract",))
                builder.store(builder.fadd(builder.load(total), square, flags=("contract",)), total)
        for total, out_at in zip(totals, outs, strict=True):
            builder.store(builder.load(total), out_at, align=align)
        return context.get_dummy_value()

    return signature, generate


add_tile: Any = intrinsic(_add_tile)
"""add_tile(base, reference, column, first, last, out, at), in compiled code only."""


def spread(builder: Any, value: Any, vector: Any) -> Any:
    """`value` in every lane."""
    undefined = ir.Constant(vector, ir.Undefined)
    int32 = ir.IntType(32)
    alone = builder.insert_element(undefined, value, ir.Constant(int32, 0))
    return builder.shuffle_vector(alone, undefined, ir.Constant(ir.VectorType(int32, LANES), None))
