"""The skeleton CSV: what is written is read back, and each bad file is one clear line."""

from __future__ import annotations

import gzip
import hashlib
import os
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import RecordingError
from appliance.recording.files import read_recording
from appliance.recording.skeleton_csv import COLUMNS, LONGEST_S, write_skeleton_csv
from appliance.skeleton.standard import Recording, recording_of


def recording(frames: int = 40, *, planar: bool = False, rate_hz: float = 30.0) -> Recording:
    rng = np.random.default_rng(5)
    positions = rng.normal(size=(frames, 17, 3))
    positions[3:6, 4] = np.nan
    positions[7:9] = np.nan
    if planar:
        positions[..., 2] = np.where(np.isnan(positions[..., 2]), np.nan, 0)
    return recording_of(10 + np.arange(frames) / rate_hz, positions, planar=planar)


def rows(frames: int = 5) -> list[list[str]]:
    table = [
        [f"{frame / 30:.4f}", *(f"{(frame + column) / 10:.3f}" for column in range(51))] for frame in range(frames)
    ]
    return [list(COLUMNS), *table]


def written(path: Path, table: list[list[str]], end: str = "\n") -> Path:
    path.write_bytes(end.join([",".join(row) for row in table] + [""]).encode())
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "recording.csv"


@pytest.mark.parametrize("name", ["r.csv", "r.csv.gz"])
@pytest.mark.parametrize("planar", [False, True])
def test_what_is_written_is_read_back(tmp_path: Path, name: str, planar: bool) -> None:
    original = recording(planar=planar)
    write_skeleton_csv(tmp_path / name, original)
    back = read_recording(tmp_path / name)
    np.testing.assert_allclose(back.times, original.times, atol=1e-6)
    np.testing.assert_allclose(back.positions, original.positions, atol=1e-6)
    np.testing.assert_array_equal(back.confidence, np.isfinite(original.positions[..., 0]).astype(float))
    assert back.planar is planar


def test_the_name_tells_nothing_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    write_skeleton_csv(tmp_path / "a.csv.gz", recording())
    (tmp_path / "a.csv.gz").rename(tmp_path / "b.mcap")
    assert len(read_recording(tmp_path / "b.mcap")) == 40


def test_the_same_recording_has_the_same_digest_at_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_skeleton_csv(tmp_path / "a.csv.gz", recording())
    monkeypatch.setattr(time, "time", lambda: 2e9)
    write_skeleton_csv(tmp_path / "b.csv.gz", recording())
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.csv.gz", "b.csv.gz")}
    assert len(digests) == 1


def test_nothing_but_the_file_is_left_and_what_was_there_is_replaced(file: Path) -> None:
    file.write_text("older")
    write_skeleton_csv(file, recording())
    assert list(file.parent.iterdir()) == [file]
    assert len(read_recording(file)) == 40


@pytest.mark.parametrize("what", ["a link", "a folder", "no regular file"])
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path, what: str) -> None:
    place = tmp_path / "out.csv"
    if what == "a link":
        place.symlink_to(tmp_path / "elsewhere")
    elif what == "a folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    with pytest.raises(RecordingError, match=f"out.csv: cannot be written: is {what}; name a file"):
        write_skeleton_csv(place, recording())
    assert list(tmp_path.iterdir()) == [place]
    assert not place.is_file()


def test_a_folder_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere/r\.csv: cannot be written"):
        write_skeleton_csv(tmp_path / "nowhere" / "r.csv", recording())


def test_frames_closer_than_the_resolution_are_not_written(file: Path) -> None:
    with pytest.raises(RecordingError, match="microsecond"):
        write_skeleton_csv(file, recording(rate_hz=1e7))
    assert not file.exists()


def test_columns_may_stand_in_any_order_beside_others(file: Path) -> None:
    table = rows()
    plain = read_recording(written(file, table))
    order = np.random.default_rng(2).permutation(52)
    shuffled = [["left", *(row[column] for column in order), "é"] for row in table]
    shuffled[0][0], shuffled[0][-1] = "side", "note"
    back = read_recording(written(file, shuffled))
    np.testing.assert_array_equal(back.positions, plain.positions)
    np.testing.assert_array_equal(back.times, plain.times)


@pytest.mark.parametrize("first", ["time_s", "pelvis.x", "right_ankle.z"])
def test_an_empty_cell_is_an_unseen_joint_wherever_its_column_stands(file: Path, first: str) -> None:
    table = rows()
    order = sorted(range(52), key=lambda column: COLUMNS[column] != first)
    for column in (COLUMNS.index("pelvis.x"), COLUMNS.index("spine.x"), COLUMNS.index("spine.y"), 51):
        table[2][column] = ""
    back = read_recording(written(file, [[row[column] for column in order] for row in table]))
    unseen = np.isnan(back.positions).all(axis=2)
    assert list(zip(*np.nonzero(unseen), strict=True)) == [(1, 0), (1, 1), (1, 16)]
    np.testing.assert_array_equal(back.confidence == 0, unseen)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_any_line_ends_are_read(file: Path, end: str) -> None:
    table = rows()
    plain = read_recording(written(file, table))
    written(file, table, end)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes() + end.encode() * 2)
    np.testing.assert_array_equal(read_recording(file).positions, plain.positions)


def test_one_frame_is_readable(file: Path) -> None:
    assert len(read_recording(written(file, rows(1)))) == 1


def test_a_recording_of_many_blocks_is_read_whole(file: Path) -> None:
    """Larger than one read: rows and line numbers run on over the seams."""
    long = recording(9000)
    write_skeleton_csv(file, long)
    np.testing.assert_allclose(read_recording(file).positions, long.positions, atol=1e-6)
    lines = file.read_text().split("\n")
    lines[8000] = lines[8000].replace(",", ",x", 1)
    file.write_text("\n".join(lines))
    with pytest.raises(RecordingError, match=r"line 8001: pelvis\.x is 'x"):
        read_recording(file)


def set_cell(row: int, column: str, text: str) -> list[list[str]]:
    table = rows()
    table[row][COLUMNS.index(column)] = text
    return table


BAD_TABLES = [
    ([[*COLUMNS[:20], *COLUMNS[21:]]], r"no column 'left_elbow\.y'"),
    ([["frame", "x", "y"], ["1", "2", "3"]], "no column 'time_s'"),
    ([[*COLUMNS, "time_s"]], "line 1: the column 'time_s' is there more than once"),
    (rows(0), "has a header and no frames"),
    ([*rows(2), ["1.0", "2.0"]], "line 4: has 2 cells where the header has 52"),
    ([*rows(2), [*rows(5)[5], "3"]], "line 4: has 53 cells"),
    (set_cell(3, "head.y", "wide"), r"line 4: head\.y is 'wide', not a number"),
    (set_cell(3, "head.y", "1_0"), r"line 4: head\.y is '1_0', not a number"),
    (set_cell(3, "head.y", "٣"), r"line 4: head\.y is '٣', not a number"),
    (set_cell(3, "head.y", "-inf"), r"line 4: head\.y is -inf"),
    (set_cell(3, "head.y", "1e999"), r"line 4: head\.y is inf"),
    (set_cell(3, "head.y", "3e7"), r"line 4: head\.y is 3e\+07, beyond any position"),
    (set_cell(3, "time_s", ""), "line 4: time_s is"),
    (set_cell(3, "time_s", "nan"), "line 4: time_s is nan"),
    (set_cell(5, "time_s", "inf"), "line 6: time_s is inf"),
    (set_cell(3, "time_s", "0.0333"), r"line 4: time_s is 0\.0333 after 0\.0333; times must increase"),
    (set_cell(4, "time_s", "0.01"), "line 5: time_s is 0.01 after 0.0667"),
    (set_cell(5, "time_s", "1e9"), "beyond two hours; is time_s in seconds"),
    ([rows(1)[0], ["0", *[""] * 51], ["1", *["nan"] * 51]], "no joint was seen in any of its 2 frames"),
]


@pytest.mark.parametrize(("table", "message"), BAD_TABLES, ids=[message for _, message in BAD_TABLES])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_bad_table_is_one_line_naming_file_and_place(
    file: Path, table: list[list[str]], message: str, zipped: bool
) -> None:
    written(file, table)
    if zipped:
        file.write_bytes(gzip.compress(file.read_bytes()))
    with pytest.raises(RecordingError, match=message) as error:
        read_recording(file)
    assert str(error.value).startswith(f"{file}: ")
    assert "\n" not in str(error.value)


BAD_BYTES = [
    (b"", "is empty"),
    (bytes(range(256)) * 4, "is not text"),
    (b"\x00" * 500, "no column 'time_s'"),
    (
        ";".join(COLUMNS).encode(),
        "no column 'time_s'; its cells seem to be separated by semicolons: save it with commas",
    ),
    ("\t".join(COLUMNS).encode(), "separated by tabs"),
    (gzip.compress(",".join(COLUMNS).encode() * 50, mtime=0)[:-30], "cut short"),
    (gzip.compress(b"x" * 500, mtime=0)[:12], "cut short"),
    (gzip.compress(b"time_s", mtime=0)[:-8] + bytes(8), "damaged"),
    (b"\x1f\x8b" + bytes(40), "damaged"),
    (b"\x1f\x8b", "cut short"),
    (b"\x89MCAP0\r\n", "cut off before anything was recorded"),
    (b'{"frames": []}', "is no FineRehab-style 1 file"),
]


@pytest.mark.parametrize(("content", "message"), BAD_BYTES)
def test_what_is_no_table_is_said_so(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)
    with pytest.raises(RecordingError, match=message) as error:
        read_recording(file)
    assert str(error.value).startswith(f"{file}: ")


def test_a_missing_file_a_folder_and_a_pipe_are_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("missing", "no such file"), (".", "is a folder"), ("pipe", "not a regular file")):
        with pytest.raises(RecordingError, match=message):
            read_recording(tmp_path / name)


def bomb(block: bytes, repeats: int, head: bytes = b"") -> bytes:
    pack = zlib.compressobj(wbits=31)
    return b"".join([pack.compress(head), *(pack.compress(block) for _ in range(repeats)), pack.flush()])


HEADER = ",".join(COLUMNS).encode() + b"\n"


@pytest.mark.parametrize(
    ("block", "repeats", "head"),
    [
        (bytes(1 << 20), 200, b""),
        (b"," * (1 << 20), 200, b""),
        (b"\n" * (1 << 20), 50, HEADER),
        (b"0" * (1 << 20), 200, HEADER),
        (b"1" + b",1" * 51 + b"\n", 500_000, HEADER),
    ],
    ids=["zeros", "commas", "newlines", "one endless row", "one row again and again"],
)
def test_a_zip_bomb_does_not_eat_the_memory(file: Path, block: bytes, repeats: int, head: bytes) -> None:
    file.write_bytes(bomb(block, repeats, head))
    tracemalloc.start()
    with pytest.raises(RecordingError):
        read_recording(file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 150 << 20


def test_two_hours_are_read_and_no_more(file: Path) -> None:
    table = rows(2)
    table[2][0] = f"{LONGEST_S}"
    assert read_recording(written(file, table)).duration_s == LONGEST_S
    table[2][0] = f"{LONGEST_S + 1}"
    with pytest.raises(RecordingError, match="two hours"):
        read_recording(written(file, table))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_damage_anywhere_ends_in_an_error_in_words_or_in_a_recording(file: Path, seed: int, zipped: bool) -> None:
    rng = np.random.default_rng(seed)
    written(file, rows())
    whole = gzip.compress(file.read_bytes()) if zipped else file.read_bytes()
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(len(whole), size=rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged[: rng.integers(len(whole) // 2, len(whole) + 1)])
        try:
            found = read_recording(file)
        except RecordingError as error:
            assert str(error).startswith(f"{file}: ")  # noqa: PT017 - either outcome is right, a third is not
        else:
            assert np.isfinite(found.positions[found.confidence > 0]).all()


def test_every_real_recording_is_read(data: Path) -> None:
    files = sorted(data.glob("*kinect2/*/*.csv.gz"))[::10]
    assert len(files) > 100
    for real in files:
        found = read_recording(real)
        assert not found.planar
        assert 20 < found.rate_hz < 40


def test_a_long_recording_is_read_and_written_fast(file: Path) -> None:
    """Thousands of files go through a calibration: 2500 frames must not take longer than scoring them."""
    write_skeleton_csv(file, recording(2500))
    took = []
    for _ in range(3):
        began = time.process_time()
        read_recording(file)
        took.append(time.process_time() - began)
    assert min(took) < 0.15
