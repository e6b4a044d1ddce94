"""How our pictures are drawn: without a screen, in colours that the colour-blind tell apart, whole files or none."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from appliance.errors import RehabBoxError
from appliance.recording.disk import write_whole

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#8C6D31")
"""Okabe and Ito's, told apart with every kind of colour blindness; yellow, too pale for a line, became brown."""
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def require_folder(folder: Path) -> None:
    """Raises `RehabBoxError` where the folder cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RehabBoxError(f"--plots {folder}: cannot be made: {error.strerror}") from None


def draw(folder: Path, drawings: Mapping[str, Callable[[Figure], None]]) -> None:
    """One PNG for each drawing, by name. Raises `RecordingError` where the disk refuses."""
    mpl.use("Agg")
    for name, drawing in drawings.items():
        figure = Figure(figsize=(9.0, 5.5), dpi=110, layout="constrained")
        drawing(figure)
        picture = io.BytesIO()
        figure.savefig(picture)
        write_whole(folder / f"{name}.png", picture.getvalue())


def legend_beside(axes: Axes, title: str | None = None) -> None:
    """Outside, so that it hides nothing."""
    legend = axes.legend(title=title, loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize="small", markerscale=1.5)
    legend.borderaxespad = 0.0
