"""Small videos made on the spot: grey levels that tell the frames apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

MakeVideo = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Writes an mp4 whose frame k is 8k grey with a white top left quarter, at the given times in ms."""

    def make(times_ms: Sequence[int], name: str = "video.mp4", rotation: int = 0, front: bool = False) -> Path:
        file = tmp_path / name
        with av.open(str(file), "w", options={"movflags": "faststart"} if front else {}) as container:
            stream = container.add_stream("mpeg4", rate=1000)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.bit_rate = 2_000_000
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
            if rotation:
                stream.set_display_rotation(rotation)
            for index, time_ms in enumerate(times_ms):
                picture = np.full((48, 64, 3), 8 * index, np.uint8)
                picture[:24, :32] = 255
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return file

    return make
