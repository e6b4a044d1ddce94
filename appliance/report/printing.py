"""A report on paper: PDF pages by WeasyPrint, or one PNG of them by pdfium; both come with the extra `print`."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

from appliance.errors import RehabBoxError

_PNG_DPI = 110
_GAP_PX = 12


def pdf_of(page: str) -> bytes:
    """A4. Raises `RehabBoxError` where the libraries for it are missing."""
    return bytes(_library("weasyprint").HTML(string=page).write_pdf())


def png_of(page: str) -> bytes:
    """All pages, one below the other."""
    document = _library("pypdfium2").PdfDocument(pdf_of(page))
    try:
        pages = [one.render(scale=_PNG_DPI / 72.0).to_pil() for one in document]
    finally:
        document.close()
    image = import_module("PIL.Image")
    height = sum(one.height for one in pages) + _GAP_PX * (len(pages) - 1)
    sheet = image.new("RGB", (max(one.width for one in pages), height), "#888")
    top = 0
    for one in pages:
        sheet.paste(one, (0, top))
        top += one.height + _GAP_PX
    written = io.BytesIO()
    sheet.save(written, "PNG", optimize=True)
    return written.getvalue()


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except (ImportError, OSError):
        raise RehabBoxError(
            f"PDF and PNG need {name}, which cannot be loaded here: pip install 'rehabbox[print]', "
            "apt-get install libpango-1.0-0 libpangoft2-1.0-0; or write .html and print it from a browser"
        ) from None
