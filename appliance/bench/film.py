"""A film of the virtual instructor, drawn as a person: what a camera would see, made here."""

from __future__ import annotations

from pathlib import Path

import av
from av.video.frame import VideoFrame

from hal.virtual.drawing import draw
from hal.virtual.patient import reference

WIDTH, HEIGHT = 480, 640


def write_film(file: Path, exercise: str, side: str, repetitions: int, rate_hz: int, tempo: float = 1.0) -> int:
    """Writes an MP4 (MPEG-4 part 2, which every FFmpeg writes); how many frames it has."""
    _, positions = reference(exercise, side, repetitions, float(rate_hz), tempo=tempo)
    with av.open(file, "w") as container:
        stream = container.add_stream("mpeg4", rate=rate_hz)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 4_000_000
        for frame in positions:
            container.mux(stream.encode(VideoFrame.from_ndarray(draw(frame, WIDTH, HEIGHT), format="rgb24")))
        container.mux(stream.encode())
    return len(positions)
