"""`rehabbox demo`: a whole session on built-in input."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.output import json_option
from appliance.commands.seconds import Seconds


@click.command()
@click.option("--video", type=click.Path(path_type=Path), help="A real video instead of the virtual patient.")
@click.option("--reference", type=click.Path(path_type=Path), help="The recording to compare it with (skeleton CSV).")
@click.option("--exercise", default="squat", show_default=True, help="The exercise in the video.")
@click.option("--repetitions", type=click.IntRange(1, 100), default=3, show_default=True, help="Of each exercise.")
@click.option("--timeout-s", type=Seconds(1, 3600), default=120.0, show_default=True, help="Then it gives up.")
@json_option
def demo(
    video: Path | None, reference: Path | None, exercise: str, repetitions: int, timeout_s: float, as_json: bool
) -> int:
    """Run a whole patient session on this machine: broker, box and hospital, each a process of its own.

    A virtual patient in front of a synthetic camera, wearing 17 synthetic IMUs, does three exercises that a
    prescription asks for; a separate subscriber receives the results from a real broker (TLS 1.3, client
    certificates of a throw-away authority) and shows them. With --video and --reference a real video goes the same way
    through the pose network. Exit status 1 if a result does not arrive or has no score.

    \b
    Examples:
      rehabbox demo
      rehabbox demo --video squats.mp4 --reference therapist.csv.gz --exercise squat
    """
    if (video is None) != (reference is None):
        raise click.UsageError("--video and --reference go together: a video is scored against a reference")
    from appliance.demo.stage import Film, run_demo
    from appliance.exercises import exercise_by_id

    film = None
    if video is not None and reference is not None:
        if not video.is_file():
            raise click.BadParameter(f"{video}: no such file", param_hint="--video")
        film = Film(video, reference, exercise_by_id(exercise).id, repetitions)
    return run_demo(film, as_json, timeout_s)
