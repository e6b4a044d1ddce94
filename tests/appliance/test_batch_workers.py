"""Workers that die and runs that are interrupted cost no row and change no number."""

from __future__ import annotations

import contextlib
import csv
import json
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance import batch
from appliance.batch_journal import Journal
from appliance.batch_manifest import read_manifest
from appliance.errors import RecordingError, RehabBoxError
from appliance.quality.judgement import shipped_judge
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.skeleton.standard import INDEX, recording_of

ROWS = 96


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Eight recordings, each a dozen times in the manifest, one row of which cannot be scored."""
    for number in range(8):
        positions = np.zeros((40 + number, 17, 3))
        positions[:, :, 1] = np.linspace(0.9, 1.1, 17)
        positions[:, INDEX["thorax"], 1] = 1.4
        positions[:, INDEX["left_hip"], 0], positions[:, INDEX["right_hip"], 0] = 0.3, -0.3
        positions[:, INDEX["left_wrist"], 1] += (0.5 - 0.05 * number) * np.sin(np.linspace(0, np.pi, 40 + number))
        write_skeleton_csv(tmp_path / f"{number}.csv.gz", recording_of(np.arange(40 + number) / 30, positions))
    lines = [f"{row % 8}.csv.gz,lift,0.csv.gz" for row in range(ROWS)]
    lines[50] = "nowhere.csv.gz,lift,0.csv.gz"
    (tmp_path / "manifest.csv").write_text("\n".join(["file,exercise,reference", *lines]) + "\n")
    return tmp_path


@pytest.fixture
def alone(archive: Path) -> list[batch.Outcome]:
    return [batch.score_task(task) for task in tasks_in(archive)]


def tasks_in(archive: Path) -> list[batch.Task]:
    return batch.tasks_of(read_manifest(archive / "manifest.csv"))


@pytest.fixture
def run(command: Callable[..., Any]) -> Callable[..., Any]:
    return partial(command, "batch")


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_process_killed_half_way_loses_no_row(
    archive: Path, alone: list[batch.Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch.os, "sched_getaffinity", lambda _: {0, 1})
    scored: list[int] = []

    def advance() -> None:
        scored.append(1)
        if len(scored) == 8:
            kill(multiprocessing.active_children()[0].pid or 0)

    assert batch.score_all(tasks_in(archive), advance) == alone
    assert len(scored) == ROWS


@pytest.fixture
def cluster() -> Iterator[object]:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed (the extra `cluster`)")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as started:
        yield started


def test_a_cluster_gives_the_same_rows_though_a_worker_is_killed(
    archive: Path, alone: list[batch.Outcome], cluster: object
) -> None:
    nannies = list(cluster.workers.values())  # type: ignore[attr-defined]
    scored: list[int] = []

    def advance() -> None:
        scored.append(1)
        if len(scored) == 8:
            kill(nannies[0].pid)

    address = cluster.scheduler_address  # type: ignore[attr-defined]
    assert batch.score_all(tasks_in(archive), advance, scheduler=address) == alone
    assert len(scored) == ROWS


def test_a_scheduler_that_is_not_there_is_one_clear_line(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed (the extra `cluster`)")
    monkeypatch.setattr("appliance.batch_workers._CONNECT_S", 1)
    with pytest.raises(RehabBoxError, match=r"tcp://127.0.0.1:9: no Dask scheduler"):
        batch.score_all(tasks_in(archive), scheduler="tcp://127.0.0.1:9")


def test_a_scheduler_that_starts_again_half_way_costs_no_row(archive: Path, alone: list[batch.Outcome]) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed (the extra `cluster`)")

    def start(port: int = 0) -> Any:
        return distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            protocol="tcp://",
            scheduler_port=port,
            dashboard_address=":0",
            silence_logs=50,
        )

    clusters, scored = [start()], []
    address = clusters[0].scheduler_address

    def advance() -> None:
        scored.append(1)
        if len(scored) == 8:
            clusters[0].close()
            clusters.append(start(int(address.rsplit(":", 1)[1])))

    try:
        assert batch.score_all(tasks_in(archive), advance, scheduler=address) == alone
    finally:
        clusters[-1].close()
    assert len(clusters) == 2
    assert len(scored) == ROWS


@contextlib.contextmanager
def full_disk(bytes_left: int) -> Iterator[None]:
    """No file of this process grows beyond so much."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_fills_up_is_one_line_and_what_was_scored_is_kept(
    archive: Path,
    alone: list[batch.Outcome],
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., Any],
) -> None:
    monkeypatch.setattr(batch, "_ROWS_WORTH_A_PROCESS", ROWS)
    manifest, out = archive / "manifest.csv", archive / "r.csv"
    with full_disk(8192):
        done = run(manifest, "--out", out)
    assert done.returncode == 2
    assert "r.csv.unfinished: cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not out.exists()
    with contextlib.suppress(KeyboardInterrupt), batch.journal_of(out, tasks_in(archive), shipped_judge()) as journal:
        assert 0 < len(journal.known) < ROWS
        raise KeyboardInterrupt
    assert run(manifest, "--out", out).returncode == 0
    assert [row["status"] for row in csv.DictReader(out.read_text().splitlines())] == [one.status for one in alone]


def test_two_runs_with_one_output_do_not_mix(archive: Path) -> None:
    out, tasks = archive / "r.csv", tasks_in(archive)
    with batch.journal_of(out, tasks, None), pytest.raises(RecordingError, match="another batch"):
        batch.journal_of(out, tasks, None).__enter__()


def test_an_interrupted_run_continues(
    archive: Path, alone: list[batch.Outcome], monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any]
) -> None:
    monkeypatch.setattr(batch, "_ROWS_WORTH_A_PROCESS", ROWS)
    manifest, out = archive / "manifest.csv", archive / "r.csv"
    really, scored = batch.score_task, []

    def interrupted(task: batch.Task) -> batch.Outcome:
        scored.append(task)
        if len(scored) == 60:
            raise KeyboardInterrupt
        return really(task)

    monkeypatch.setattr(batch, "score_task", interrupted)
    stopped = run(manifest, "--out", out)
    assert stopped.returncode != 0
    assert stopped.stdout == ""
    assert not out.exists()
    with (archive / "r.csv.unfinished").open("a") as torn:
        torn.write('[70, {"stat')
    done = run(manifest, "--out", out, "--json")
    assert done.returncode == 0
    printed = json.loads(done.stdout)
    assert (printed["rows"], printed["failed"]) == (ROWS, 1)
    assert len(scored) == 60 + ROWS - 59
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [row["status"] for row in rows] == [outcome.status for outcome in alone]
    assert [row["cost"] for row in rows] == [repr(o.scalars["cost"]) if o.scalars else "" for o in alone]
    assert not (archive / "r.csv.unfinished").exists()


def interrupted_after_one_row(out: Path, tasks: list[batch.Task]) -> list[int]:
    """The rows that were known when it began."""
    known: list[int] = []
    with contextlib.suppress(KeyboardInterrupt), batch.journal_of(out, tasks, None) as journal:
        known += journal.known
        journal.note(3, {"status": "noted", "scalars": {}, "judged": {}})
        raise KeyboardInterrupt
    return known


def test_what_was_noted_counts_only_while_manifest_and_files_are_the_same(archive: Path) -> None:
    out, tasks = archive / "r.csv", tasks_in(archive)
    assert interrupted_after_one_row(out, tasks) == []
    assert interrupted_after_one_row(out, tasks) == [3]
    assert interrupted_after_one_row(out, tasks[1:]) == []
    assert interrupted_after_one_row(out, tasks) == []
    os.utime(archive / "4.csv.gz", ns=(1, 1))
    assert interrupted_after_one_row(out, tasks) == []


def test_a_journal_that_makes_no_sense_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "r.csv.unfinished").write_text('{"identity": "x"}\n[1, {"a": NaN}]\nnonsense\n[2, {}]\n')
    with Journal(tmp_path / "r.csv", "x") as journal:
        assert list(journal.known) == [1]
    (tmp_path / "r.csv.unfinished").write_text("[]\n")
    with Journal(tmp_path / "r.csv", "x") as journal:
        assert journal.known == {}
