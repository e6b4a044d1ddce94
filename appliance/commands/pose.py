"""`rehabbox pose`: video, picture or Kinect recording to skeleton CSV."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import click

from appliance.commands.output import json_option, print_json, progress_bar
from appliance.errors import RecordingError
from appliance.pose import PoseResult, record_pose
from appliance.recording.skeleton_csv import write_skeleton_csv
from hal.errors import OtherFormatError, UnreadableRecordingError
from hal.protocols import Camera
from hal.registry import build_camera, build_pose


@click.command()
@click.argument("video", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The skeleton: F.csv or F.csv.gz.")
@json_option
def pose(video: Path, out: Path, as_json: bool) -> int:
    """Find the person in every frame of VIDEO and write the 17-joint skeleton.

    VIDEO is a video, a picture, or a Kinect recording (MKV), whose depth then gives metres and tells a body from a
    picture of one. Frames without a person are rows without positions. Nobody in any frame: exit status 1, and no file.

    \b
    Example:
      rehabbox pose squats.mp4 --out squats.csv.gz
    """
    _check_out(out)
    camera = _open_camera(video)
    estimator = build_pose({"driver": "mediapipe"})
    with contextlib.closing(camera), contextlib.closing(estimator):
        estimator.open()
        with progress_bar() as bar:
            task = bar.add_task(video.name, total=None, note="")
            result = record_pose(camera, estimator, on_frame=lambda _: bar.advance(task))
    if result.seen:
        write_skeleton_csv(out, result.recording)
    if as_json:
        print_json(
            {
                "frames": result.frames,
                "seen": result.seen,
                "fps": round(result.recording.rate_hz, 3),
                "reasons": result.reasons,
                "notes": result.notes,
            }
        )
    else:
        click.echo(_words(result, out))
    return 0 if result.seen else 1


def _check_out(out: Path) -> None:
    """Refuse a bad `--out` before the work, not after it."""
    if not out.name.endswith((".csv", ".csv.gz")):
        raise RecordingError(f"--out {out}: must end in .csv or .csv.gz")
    if not out.parent.is_dir():
        raise RecordingError(f"--out {out}: there is no folder {out.parent}; make it first")
    if out.is_dir():
        raise RecordingError(f"--out {out}: is a folder")
    if not os.access(out.parent, os.W_OK):
        raise RecordingError(f"--out {out}: the folder {out.parent} may not be written to")


def _open_camera(video: Path) -> Camera:
    """The replay that can read the file, by its content. A damaged Kinect recording is not taken for a plain video."""
    for driver, not_mine in (("image", UnreadableRecordingError), ("kinect_mkv", OtherFormatError)):
        camera = build_camera({"driver": driver, "file": video})
        with contextlib.suppress(not_mine):
            camera.open()
            return camera
    camera = build_camera({"driver": "video", "file": video})
    camera.open()
    return camera


def _words(result: PoseResult, out: Path) -> str:
    why = ", ".join(f"{code}: {frames}" for code, frames in sorted(result.reasons.items()))
    if not result.seen:
        return f"nobody was seen in {result.frames} frames ({why}); nothing written"
    notes = "".join(f"; {frames} with {code}" for code, frames in sorted(result.notes.items()))
    return f"{out}: {result.seen} of {result.frames} frames" + (f" ({why})" if why else "") + notes
