"""A benchmark's rows say whether the figure is good, and the command's status says whether all are."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from appliance.bench import sync
from appliance.bench.rows import Row
from appliance.commands import bench


def test_a_limit_is_reached_from_either_side() -> None:
    assert Row("error", 2.0, "ms", 2.0).ok
    assert not Row("error", 2.1, "ms", 2.0).ok
    assert Row("kept", 0.995, "share", 0.995, at_most=False).ok
    assert not Row("kept", 0.99, "share", 0.995, at_most=False).ok
    assert not Row("error", float("nan"), "ms", 2.0).ok
    assert Row("only reported", 1e9, "ms").ok


def test_a_peer_comes_with_the_ratio() -> None:
    assert Row("kept", 0.8, "share", peer_name="theirs", peer=0.1).as_json()["ratio"] == pytest.approx(8.0)
    assert "peer" not in Row("kept", 0.8, "share").as_json()


@pytest.mark.parametrize(("value", "status"), [(1.0, 0), (3.0, 1)])
def test_one_missed_limit_is_status_1(monkeypatch: pytest.MonkeyPatch, value: float, status: int) -> None:
    rows = [Row("good", 0.0, "ms", 1.0), Row("other", value, "ms", 2.0)]
    monkeypatch.setattr(bench, "import_module", lambda _: SimpleNamespace(run=lambda: rows))
    run = CliRunner().invoke(bench.bench, ["sync", "--json"], standalone_mode=False)
    assert run.return_value == status
    assert [row["ok"] for row in json.loads(run.output)["benches"]] == [True, status == 0]


def test_device_clocks_are_within_their_limits_and_equal_stamps_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "STREAMS", 4)
    rms, _, settled, late, kept = sync._clocks()
    assert rms.ok
    assert settled.ok
    assert late.ok
    assert kept.ok
    assert kept.peer is not None
    assert kept.peer < 0.2
