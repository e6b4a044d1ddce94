"""Frames turned into columns, several at once, in vector registers."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from appliance.scoring.tiles import LANES

TOGETHER = 4
"""Coordinates turned at once."""
_FOUR = ir.VectorType(ir.DoubleType(), TOGETHER)
_INT32 = ir.IntType(32)


def _turn(
    _context: Any, frames: Any, first: Any, origin: Any, scale: Any, begin: Any, end: Any, panel: Any, column: Any
) -> Any:
    """panel[k, column + c] = (frames[first + c, k] - origin[k]) * scale[k] for 0 <= c < LANES, begin <= k < end.

    frames: (frames, coordinates); origin, scale: (coordinates,); all float64. panel: (coordinates, columns), float32 or
    float64; all C-contiguous. end - begin: a multiple of `TOGETHER`. Nothing is checked: all of it must lie inside.

    One number at a time, each would be written far from the one before.
    """
    signature = types.void(frames, first, origin, scale, begin, end, panel, column)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        there, middle, unit, out = (
            context.make_array(signature.args[i])(context, builder, values[i]) for i in (0, 2, 3, 6)
        )
        row_length, width = builder.extract_value(there.shape, 1), builder.extract_value(out.shape, 1)
        first, begin, end, column = values[1], values[4], values[5], values[7]
        index = column.type
        number = context.get_data_type(panel.dtype)
        narrow, vector = ir.VectorType(number, TOGETHER), ir.VectorType(number, LANES)

        def four(data: Any, place: Any) -> Any:
            return builder.load(builder.bitcast(builder.gep(data, [place]), _FOUR.as_pointer()), align=8)

        def shuffled(a: Any, b: Any, picked: list[int]) -> Any:
            return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT32, len(picked)), picked))

        starts = [builder.mul(builder.add(first, ir.Constant(index, row)), row_length) for row in range(LANES)]
        with cgutils.for_range_slice(builder, begin, end, ir.Constant(index, TOGETHER), index) as (k, _):
            less, times = four(middle.data, k), four(unit.data, k)
            rows = []
            for start in starts:
                row = builder.fmul(builder.fsub(four(there.data, builder.add(start, k)), less), times)
                rows.append(row if number == ir.DoubleType() else builder.fptrunc(row, narrow))
            # Rows j, j + 4, j + 8, ... side by side, for j of 0 .. 3; then each four by four is turned in its place.
            lines = []
            for j in range(TOGETHER):
                parts = rows[j::TOGETHER]
                while len(parts) > 1:
                    both = 2 * parts[0].type.count
                    parts = [shuffled(a, b, list(range(both))) for a, b in zip(parts[::2], parts[1::2], strict=True)]
                lines.append(parts[0])
            blocks = range(0, LANES, TOGETHER)
            low = [i for b in blocks for i in (b, b + LANES, b + 1, b + 1 + LANES)]
            high = [i + 2 for i in low]
            zero_low, zero_high = shuffled(lines[0], lines[1], low), shuffled(lines[0], lines[1], high)
            two_low, two_high = shuffled(lines[2], lines[3], low), shuffled(lines[2], lines[3], high)
            left = [i for b in blocks for i in (b, b + 1, b + LANES, b + 1 + LANES)]
            right = [i + 2 for i in left]
            turned = [
                shuffled(zero_low, two_low, left),
                shuffled(zero_low, two_low, right),
                shuffled(zero_high, two_high, left),
                shuffled(zero_high, two_high, right),
            ]
            for i, line in enumerate(turned):
                place = builder.add(builder.mul(builder.add(k, ir.Constant(index, i)), width), column)
                target = builder.bitcast(builder.gep(out.data, [place]), vector.as_pointer())
                builder.store(line, target, align=context.get_abi_sizeof(number))
        return context.get_dummy_value()

    return signature, generate


turn: Any = intrinsic(_turn)
"""turn(frames, first, origin, scale, begin, end, panel, column), in compiled code only."""
