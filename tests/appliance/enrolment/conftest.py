"""A hospital with a local authority, and boxes that want to be known to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.enrolment.hospital_file import Broker, Enrolment, Hospital
from appliance.enrolment.identity import Identity
from appliance.fleet.boxes import Box
from appliance.fleet.fleet import Fleet
from appliance.fleet.founding import make_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """The folder of a fleet that knows box-1 and box-2."""
    folder = tmp_path / "fleet"
    make_fleet(folder, ("clinic",), ("localhost", 8883), 8884)
    with Fleet(folder) as fleet:
        fleet.add([Box("box-1", "clinic"), Box("box-2", "clinic")])
    return folder


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity(tmp_path / "box" / "enrolment")


@pytest.fixture
def answer_to(fleet: Path) -> Callable[[bytes], Enrolment]:
    """What the hospital says to a request."""

    def answer(request: bytes) -> Enrolment:
        with Fleet(fleet) as opened:
            return opened.sign(request, "box.csr", None, again=True)

    return answer


@pytest.fixture
def hospital_of(tmp_path: Path) -> Callable[..., Hospital]:
    """What a hospital with an EST server tells its boxes."""

    def tell(server: object, **changes: object) -> Hospital:
        fields = {"site": "clinic", "broker": Broker(host="localhost"), "ca": server.ca}  # type: ignore[attr-defined]
        fields["est"] = {"host": "localhost", "port": server.port}  # type: ignore[attr-defined]
        return Hospital.model_validate(fields | changes)

    return tell
