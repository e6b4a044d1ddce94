"""`rehabbox report`: one set as a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from appliance.commands.output import json_option, print_json
from appliance.errors import RehabBoxError, UnknownReferenceError
from appliance.exercises import exercise_by_id

FORMATS = (".html", ".pdf", ".png")


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="F.html, or F.pdf or F.png.")
@click.option("--reference", type=click.Path(path_type=Path), metavar="F", help="The recording it is compared with.")
@click.option("--references", type=click.Path(path_type=Path), metavar="DIR",
              help="Where the session's own reference lies.  [default: the settings' folder]")  # fmt: skip
@click.option("--exercise", metavar="ID", help="What was done.  [default: what the session file says]")
@click.option("--earlier", type=click.Path(path_type=Path), metavar="DIR",
              help="Session files below it, of the same subject and exercise, are shown as the course.")  # fmt: skip
@click.option("--calibration", type=click.Path(path_type=Path), metavar="F", help="Take phi from `calibrate`'s file.")
@json_option
def report(
    session: Path,
    out: Path,
    reference: Path | None,
    references: Path | None,
    exercise: str | None,
    earlier: Path | None,
    calibration: Path | None,
    as_json: bool,
) -> None:
    """Show the set in SESSION, a session's MCAP or any recording, as one page without network.

    Skeletons beside the reference's at the same moments, distances by joint over time, repetitions, the course over
    earlier sessions, both sides, how good the data was, and in words what costs most. It prints on A4.

    \b
    Examples:
      rehabbox report 00_squat.mcap --out squat.html --earlier /var/lib/rehabbox/sessions
      rehabbox report today.csv.gz --reference therapist.csv.gz --exercise squat --out squat.pdf
    """
    if out.suffix.lower() not in FORMATS:
        raise click.BadParameter(f"{out}: ends with none of {', '.join(FORMATS)}", param_hint="--out")
    from appliance.recording.disk import write_whole
    from appliance.recording.files import read_recording
    from appliance.report.content import content_of
    from appliance.report.page import page_of
    from appliance.report.printing import pdf_of, png_of
    from appliance.report.taken import earlier_than, read_taken
    from appliance.scoring.calibration_file import read_calibration

    taken = read_taken(session)
    taken = replace(taken, exercise=exercise or taken.exercise)
    if not taken.exercise:
        raise click.UsageError(f"{session} does not say what was done: give --exercise")
    known = exercise_by_id(taken.exercise)
    file = reference or _of_session(taken.reference, session, references)
    content = content_of(
        taken,
        read_recording(file),
        file.name,
        known,
        earlier_than(taken, earlier) if earlier is not None else (),
        read_calibration(calibration)[0].phi_deg if calibration is not None else None,
    )
    page = page_of(content)
    kind = out.suffix.lower()
    write_whole(out, page.encode() if kind == ".html" else pdf_of(page) if kind == ".pdf" else png_of(page))
    if as_json:
        print_json({"file": str(out), "scored": content.assessment.reason is None,
                    "words": [finding.sentence for finding in content.found]})  # fmt: skip
    else:
        click.echo(str(out))


def _of_session(digest: str, session: Path, references: Path | None) -> Path:
    from appliance.references import ReferenceFolder
    from appliance.settings import load_settings

    if not digest:
        raise click.UsageError(f"{session} does not say what it is compared with: give --reference")
    try:
        return ReferenceFolder(references or load_settings(None).session.references).find(digest)
    except UnknownReferenceError as error:
        raise RehabBoxError(f"{session}: {error}, or give --reference or --references") from None
