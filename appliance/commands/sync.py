"""`rehabbox sync`: when a camera and a sensor saw the same movement."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from appliance.commands.output import json_option, print_json
from appliance.commands.seconds import Seconds
from appliance.recording.files import read_recording
from appliance.recording.imu_csv import read_imu_csv
from appliance.sync.refine import WITHIN_S, Refinement, refine
from appliance.sync.same_motion import NEAR_JOINT


@click.command()
@click.argument("camera", type=click.Path(path_type=Path))
@click.argument("imu", type=click.Path(path_type=Path))
@click.option(
    "--segment",
    required=True,
    metavar="JOINT",
    type=click.Choice(sorted(NEAR_JOINT)),
    help="The segment the sensor is on, by its far joint: left_wrist for the left forearm.",
)
@click.option(
    "--within",
    "within_s",
    type=Seconds(0.1, 60.0),
    default=WITHIN_S,
    show_default=True,
    metavar="S",
    help="How far apart the two starts may be, seconds.",
)
@json_option
def sync(camera: Path, imu: Path, segment: str, within_s: float, as_json: bool) -> int:
    """Find the offset between a skeleton recording CAMERA and the recording IMU of one sensor by the movement both saw.

    camera time = imu time + offset_s, with skew_ppm on top: (1 + skew_ppm / 1e6) imu time. residual_ms is the estimated
    error, confidence is 0 to 1. With too little motion nothing is guessed: exit status 1.

    \b
    Example:
      rehabbox sync squats.csv.gz forearm.csv --segment left_wrist --json
    """
    found = refine(read_recording(camera), {segment: read_imu_csv(imu)}, within_s)
    if as_json:
        print_json(_rounded(found))
    else:
        click.echo(_words(found))
    return 0 if found.reason is None else 1


def _rounded(found: Refinement) -> dict[str, float | str | None]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(found).items()}


def _words(found: Refinement) -> str:
    if found.offset_s is None:
        return f"no offset: {found.reason}"
    return (
        f"camera time = imu time {found.offset_s:+.3f} s, skew {found.skew_ppm:+.0f} ppm (by {found.method})\n"
        f"error about {found.residual_ms:.0f} ms, confidence {found.confidence:.0%}; "
        f"{found.kept:.1%} of the camera's frames have the sensor's motion"
    )
