"""The table of drivers: our own by name, other distributions' by entry point, and what is wrong with a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from hal.errors import BrokenDriverError, DriverOptionError, UnknownDriverError
from hal.registry import DRIVERS, build_camera, build_imu, driver_class, gives_depth, summaries

ACME = '''
from pydantic import BaseModel, ConfigDict

class AcmeCamera:
    """Sees in the dark.

    And more.
    """
    capabilities = ("depth", "15 Hz")
    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        lamp: int = 1
    def __init__(self, options): self.lamp = options.lamp
    info = counters = None
    def open(self): ...
    def close(self): ...
    def read(self, timeout_s): ...

class NoDriver:
    def open(self): ...
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a tiny distribution: `install({"camera.acme": "acme_plug:AcmeCamera"}, code)`."""

    def make(points: dict[str, str], code: str = ACME) -> None:
        info = tmp_path / "acme_plug-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-plug\nVersion: 1.0\n")
        lines = [f"{name} = {target}" for name, target in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[rehabbox.drivers]", *lines]) + "\n")
        Path(tmp_path / "acme_plug.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(__import__("sys").modules, "acme_plug", raising=False)

    return make


def test_a_plug_in_is_a_driver_like_any_other(install):
    install({"camera.acme": "acme_plug:AcmeCamera"})
    assert build_camera({"driver": "acme", "lamp": 3}).lamp == 3
    with pytest.raises(DriverOptionError, match=r"camera\.flash.*'acme'"):
        build_camera({"driver": "acme", "flash": 1})
    (summary,) = [summary for summary in summaries() if summary.plug_in]
    assert (summary.kind, summary.name, summary.plug_in) == ("camera", "acme", "acme-plug")
    assert (summary.what, summary.capabilities, summary.fault) == ("Sees in the dark.", ("depth", "15 Hz"), "")


def test_a_camera_gives_depth_where_its_driver_says_so(install):
    install({"camera.acme": "acme_plug:AcmeCamera"})
    found = {name: gives_depth({"driver": name}) for name in ("acme", *DRIVERS["camera"])}
    assert {name for name, depth in found.items() if depth} == {"acme", "kinect", "kinect_mkv"}


def test_a_plug_in_belongs_to_its_kind_and_is_named_among_the_choices(install):
    install({"camera.acme": "acme_plug:AcmeCamera"})
    with pytest.raises(UnknownDriverError, match="acme"):
        build_camera({"driver": "akme"})
    with pytest.raises(UnknownDriverError, match="there is no driver 'acme'"):
        build_imu({"driver": "acme"})


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("acme_plug:Missing", ACME, "AttributeError"),
        ("no_such_module_here:X", ACME, "No module named"),
        ("acme_plug:AcmeCamera", "raise RuntimeError('no licence\\nbought')", "RuntimeError: no licence bought"),
        ("acme_plug:AcmeCamera", "def x(:", "SyntaxError"),
        ("acme_plug:AcmeCamera", "raise SystemExit('no licence')", "SystemExit: no licence"),
        ("acme_plug:AcmeCamera", ACME.replace('("depth", "15 Hz")', '"depth"'), "lacks capabilities as a tuple"),
        ("acme_plug:NoDriver", ACME, "lacks Options (a pydantic model), close, info, read"),
    ],
)
def test_a_broken_plug_in_names_itself_in_one_line_and_spoils_nothing_else(install, target, code, said):
    install({"camera.acme": target}, code)
    with pytest.raises(BrokenDriverError) as caught:
        build_camera({"driver": "acme"})
    message = str(caught.value)
    assert said in message
    assert "plug-in camera.acme" in message
    assert "acme-plug" in message
    assert "\n" not in message
    faults = {(summary.kind, summary.name): summary.fault for summary in summaries() if summary.fault}
    assert faults == {("camera", "acme"): message}
    build_camera({"driver": "synthetic"})


def test_a_plug_in_that_cannot_be_made_says_so_in_one_line(install):
    install({"camera.acme": "acme_plug:AcmeCamera"}, ACME.replace("self.lamp = options.lamp", "1 / 0"))
    with pytest.raises(BrokenDriverError, match=r"camera\.driver: 'acme' cannot be made: ZeroDivisionError"):
        build_camera({"driver": "acme"})


def test_a_plug_in_cannot_take_the_name_of_a_driver_of_ours(install):
    install({"camera.synthetic": "acme_plug:AcmeCamera"})
    assert driver_class("camera", "synthetic").__module__ == "hal.camera.synthetic"


def test_every_driver_of_ours_says_in_a_line_what_it_is():
    listed = list(summaries())
    assert {(summary.kind, summary.name) for summary in listed} == {
        (kind, name) for kind, table in DRIVERS.items() for name in table
    }
    assert all(summary.what and not summary.fault for summary in listed)
