"""What is remembered of what the hospital sent, on a disk that may hold it badly."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.inbound.ledger import Ledger


def test_of_a_damaged_file_nothing_is_quoted_and_nothing_is_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "accepted.json").write_bytes(b'{"holder": "Mustermann-1950-05-01", "accepted": {"subject": "Muster')
    assert Ledger(tmp_path / "accepted.json").subjects == frozenset()
    assert "is not readable" in caplog.text
    assert "Muster" not in caplog.text
    assert len(caplog.records[-1].getMessage().splitlines()) == 1
