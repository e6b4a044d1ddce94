"""`rehabbox calibrate-cameras`: where camera B stands in camera A's frame, and whether either was moved since."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from appliance.commands.output import json_option, print_json, progress_bar
from appliance.errors import RecordingError
from appliance.recording.disk import write_whole
from appliance.settings import load_settings
from hal.calibration import (
    Board,
    Moved,
    StoredCamera,
    StoredTwoViews,
    calibrate_two_views,
    pair_pictures,
    picture_size,
    read_known_camera,
    read_two_views,
    stored,
)

_Path = click.Path(path_type=Path)
_CAMERA_HELP = "Camera {}: its recording (MKV) from where it stands, its calibration.json, or kinect:SERIAL."


@click.command()
@click.argument("pictures_a", type=_Path, required=False)
@click.argument("pictures_b", type=_Path, required=False)
@click.option("--camera-a", required=True, metavar="SOURCE", help=_CAMERA_HELP.format("A"))
@click.option("--camera-b", required=True, metavar="SOURCE", help=_CAMERA_HELP.format("B"))
@click.option("--out", type=_Path, help="Where the calibration goes: F.json.")
@click.option("--check", type=_Path, metavar="F.json", help="Do the cameras still stand as they did then?")
@click.option("--board", metavar="13x8", help="Squares along the board's longer and shorter side.  [settings: board]")
@click.option("--square-mm", type=float, help="Edge of one square, measured on the print.  [settings: board]")
@click.option("--settings", "settings_file", type=_Path, help="Where --board and --square-mm come from otherwise.")
@json_option
def calibrate_cameras(
    pictures_a: Path | None,
    pictures_b: Path | None,
    camera_a: str,
    camera_b: str,
    out: Path | None,
    check: Path | None,
    board: str | None,
    square_mm: float | None,
    settings_file: Path | None,
    as_json: bool,
) -> int:
    """Find where camera B stands in camera A's frame, from pictures of a checkerboard.

    PICTURES_A and PICTURES_B are folders with 15 to 25 pictures of the board, a pair taken at one moment under one
    name. Lenses are taken from the cameras. Given recordings (or connected cameras), gravity and the floor are stored
    too, by which --check notices a camera that was tilted or lifted since; exit status 1 then. What only turned about
    the vertical or slid along the floor is not noticed.

    \b
    Example:
      rehabbox calibrate-cameras a/ b/ --camera-a a.mkv --camera-b b.mkv --square-mm 60 --out cameras.json
      rehabbox calibrate-cameras --check cameras.json --camera-a now-a.mkv --camera-b now-b.mkv
    """
    if check is not None:
        if pictures_a is not None or out is not None:
            raise click.UsageError("--check takes no pictures and writes nothing: leave out the folders and --out")
        return _check(check, camera_a, camera_b, as_json)
    if pictures_a is None or pictures_b is None or out is None:
        raise click.UsageError("give PICTURES_A, PICTURES_B and --out; or --check with a calibration")
    _check_out(out)
    _calibrate(pictures_a, pictures_b, camera_a, camera_b, _board(board, square_mm, settings_file), out, as_json)
    return 0


def _board(squares: str | None, square_mm: float | None, settings_file: Path | None) -> Board:
    """From the options, else from the settings, which are read only where an option is left out."""
    if squares is None or square_mm is None:
        settings = load_settings(settings_file).board
        squares = squares or "{}x{}".format(*settings.squares)
        square_mm = settings.square_mm if square_mm is None else square_mm
    if square_mm is None:
        raise click.UsageError("how large is a square of the board? Give --square-mm, or square_mm in [board]")
    sides = re.fullmatch(r"(\d{1,3})x(\d{1,3})", squares)
    if sides is None:
        raise click.BadParameter(f"{squares!r}: two numbers of squares, as in 13x8", param_hint="--board")
    shorter, longer = sorted(map(int, sides.groups()))
    return Board((longer, shorter), square_mm / 1000)


def _check_out(out: Path) -> None:
    """Refuse a bad `--out` before the work, not after it."""
    if out.is_dir() or out.suffix != ".json":
        raise RecordingError(f"--out {out}: must be a file that ends in .json")
    if not os.access(out.parent, os.W_OK):
        raise RecordingError(f"--out {out}: the folder {out.parent} is not there or may not be written to")


def _calibrate(
    pictures_a: Path, pictures_b: Path, source_a: str, source_b: str, board: Board, out: Path, as_json: bool
) -> None:
    pairs, lonely = pair_pictures(pictures_a, pictures_b)
    camera_a = read_known_camera(source_a, picture_size(pairs[0].a))
    camera_b = read_known_camera(source_b, picture_size(pairs[0].b))
    with progress_bar() as bar:
        task = bar.add_task("pictures", total=len(pairs), note="")
        views = calibrate_two_views(pairs, board, camera_a.lens, camera_b.lens, on_pair=lambda: bar.advance(task))
    kept = stored(views, lonely, board, camera_a, camera_b, datetime.now(UTC).replace(microsecond=0))
    write_whole(out, (kept.model_dump_json(indent=2) + "\n").encode())
    document = {
        "reprojection_px": round(views.reprojection_px, 4),
        "pictures": len(kept.pictures),
        "rejected": [one.model_dump() for one in kept.rejected],
        "rotation": kept.rotation,
        "translation_m": kept.translation_m,
        "angle_deg": round(views.angle_deg, 4),
        "distance_m": round(views.distance_m, 6),
    }
    if as_json:
        print_json(document)
    else:
        click.echo(_words(out, document, kept))


def _words(out: Path, document: dict[str, Any], kept: StoredTwoViews) -> str:
    right, down, away = kept.translation_m
    lines = [
        f"{out}: camera B stands {document['distance_m']:.3f} m from camera A and looks {document['angle_deg']:.1f} "
        "degrees away from its direction",
        f"  in A's frame: {right:+.3f} m right, {down:+.3f} m down, {away:+.3f} m ahead",
        f"  {document['pictures']} pictures, reprojection {document['reprojection_px']:.2f} px",
        *(f"  not used: {one.picture}: {one.reason}" for one in kept.rejected),
        *(f"  camera {name}: {gap}" for name, camera in (("A", kept.a), ("B", kept.b)) if (gap := _gap(camera))),
    ]
    return "\n".join(lines)


def _gap(camera: StoredCamera) -> str:
    if camera.up is None:
        return "gravity is not known, so a later move will not be noticed; give its recording or kinect:SERIAL"
    return "" if camera.floor is not None else "no floor is seen, so a later move is noticed by its tilt alone"


def _check(file: Path, source_a: str, source_b: str, as_json: bool) -> int:
    then = read_two_views(file)
    now = [
        read_known_camera(source, (camera.width, camera.height))
        for source, camera in ((source_a, then.a), (source_b, then.b))
    ]
    found = then.moved(now[0], now[1])
    cameras = [_numbers(*each) for each in zip("AB", (then.a, then.b), found, strict=True)]
    if as_json:
        print_json({"moved": any(moved.noticed for moved in found), "cameras": cameras})
    else:
        for camera, moved in zip(cameras, found, strict=True):
            click.echo(_verdict(camera, moved, file))
    return 1 if any(moved.noticed for moved in found) else 0


def _numbers(name: str, camera: StoredCamera, moved: Moved) -> dict[str, Any]:
    return {
        "camera": name,
        "serial": camera.serial,
        "moved": moved.noticed,
        "tilt_deg": round(moved.tilt_deg, 3),
        "floor_tilt_deg": None if moved.floor_tilt_deg is None else round(moved.floor_tilt_deg, 3),
        "rise_mm": None if moved.rise_m is None else round(moved.rise_m * 1000, 1),
    }


def _verdict(camera: dict[str, Any], moved: Moved, file: Path) -> str:
    state = f"was moved since {file} was made: calibrate again" if moved.noticed else "stands as it did"
    text = f"camera {camera['camera']} ({camera['serial']}) {state} (tilt {moved.tilt_deg:.1f} degrees"
    if moved.rise_m is None:
        return text + "; the floor was not compared)"
    return text + f", against the floor {moved.floor_tilt_deg:.1f} degrees, {moved.rise_m * 1000:+.0f} mm higher)"
