"""A box's label: its id, its serial number, and a QR code of what an installer needs. No secret is on it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import matplotlib as mpl
import numpy as np
import segno
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from appliance.enrolment.durable import write_durably
from appliance.errors import FleetError
from appliance.fleet.boxes import Box

SIZE_MM = (70.0, 36.0)
"""A common size of label sheets and of label printers."""
QUIET = 4
"""Modules of white around the code (ISO/IEC 18004)."""
KINDS = (".pdf", ".svg", ".png")
MM = 1 / 25.4


def content(box: Box, authority: str) -> str:
    """What the QR code says. authority: the fingerprint by which the installer knows the hospital's answer."""
    return "rehabbox:enrol?" + urlencode({"box": box.box, "serial": box.serial, "ca": authority.replace(":", "")})


def write_labels(file: Path, boxes: Sequence[Box], authority: str) -> None:
    """PDF with a page a label; SVG and PNG (300 dpi) for one box. Whole or not at all. Raises `FleetError`."""
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise FleetError(f"{file}: labels are {', '.join(KINDS)}")
    if kind != ".pdf" and len(boxes) != 1:
        raise FleetError(f"{file}: several labels go into a .pdf")
    drawn = BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):
        if kind == ".pdf":
            with PdfPages(drawn) as pages:
                for box in boxes:
                    pages.savefig(_drawn(box, authority))
        else:
            _drawn(boxes[0], authority).savefig(drawn, dpi=300, format=kind[1:])
    write_durably(file, drawn.getvalue(), 0o644)


def _drawn(box: Box, authority: str) -> Figure:
    width, height = SIZE_MM
    figure = Figure(figsize=(width * MM, height * MM))
    try:
        code = segno.make(content(box, authority), error="m", micro=False)
    except segno.DataOverflowError:
        raise FleetError(f"{box.box}: its serial number is too long for a label's code") from None
    modules = np.array(list(code.matrix_iter(border=QUIET)), bool)
    axes = figure.add_axes((0.0, 0.0, height / width, 1.0))
    axes.imshow(~modules, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.axis("off")
    lines = [("RehabBox", 7, "normal"), (box.box, _points(box.box), "bold")]
    lines += [(f"Serial {box.serial}", 7, "normal")] if box.serial else []
    lines += [(box.site, 7, "normal")]
    for place, (text, points, weight) in enumerate(lines):
        y = 0.84 - place * 0.2
        drawn = figure.text(height / width + 0.01, y, text, fontsize=points, weight=weight, family="DejaVu Sans")
        drawn.set(va="center", parse_math=False)
    return figure


def _points(name: str) -> float:
    """As large as fits beside the code."""
    return float(min(13.0, 150.0 / max(len(name), 1)))
