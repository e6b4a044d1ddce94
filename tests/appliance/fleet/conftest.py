"""Hospital IT at the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.cli import rehabbox
from appliance.hospital.certificates import make_request, new_key, subject

It = Callable[..., Result]


@pytest.fixture
def it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> It:
    """`it("add", "box-1")` is `rehabbox fleet add box-1` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(rehabbox, ["fleet", *map(str, arguments)], standalone_mode=False)

    return run


@pytest.fixture
def clinic(it: It) -> It:
    """The same, after `fleet init`."""
    assert it("init", "--site", "clinic", "--broker", "localhost:8883").exception is None
    return it


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[[str], Path]:
    """A box's request, with a new key each time."""

    def make(box: str) -> Path:
        file = tmp_path / f"{box}.csr"
        file.write_bytes(make_request(subject(box), new_key()).public_bytes(Encoding.PEM))
        return file

    return make
