"""`rehabbox batch`: every row of a manifest scored."""

from __future__ import annotations

import time
from pathlib import Path

import click

from appliance.batch import journal_of, score_all, tasks_of, write_results
from appliance.batch_manifest import read_manifest
from appliance.commands.output import json_option, print_json, progress_bar
from appliance.errors import ManifestError, ModelError
from appliance.quality.judgement import Judge, shipped_judge


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV to write.")
@click.option(
    "--by-exercise", is_flag=True, help="Take joints and root from the exercise files, where the id is there."
)
@click.option("--scheduler", metavar="ADDRESS", help="Let the workers of this Dask scheduler do it.")
@json_option
def batch(manifest: Path, out: Path, by_exercise: bool, scheduler: str | None, as_json: bool) -> int:
    """Score every row of MANIFEST, a CSV with the columns file, exercise and reference.

    Names in it are relative to it; further columns pass through. A row that cannot be scored says why in the column
    status, and the others go on. Exit status 1 where every row failed, or the installed classifier is damaged, whose
    columns are then empty. A run that was interrupted continues where it was when it is started again: until the end,
    what is done stands in OUT.unfinished.

    \b
    Example:
      rehabbox batch archive/manifest.csv --out scores.csv
      rehabbox batch archive/manifest.csv --out scores.csv --scheduler tcp://10.0.0.5:8786
    """
    rows = read_manifest(manifest)
    if out.is_dir() or not out.parent.is_dir():
        raise ManifestError(f"--out {out}: {'is a folder' if out.is_dir() else 'its folder does not exist'}")
    if out.exists() and out.samefile(manifest):
        raise ManifestError(f"--out {out}: would replace the manifest itself")
    started = time.monotonic()
    judge, fault = _classifier()
    if fault:
        click.echo(f"rehabbox: {fault}", err=True)
    tasks = tasks_of(rows, by_exercise=by_exercise, classified=judge is not None)
    with journal_of(out, tasks, judge) as journal:
        with progress_bar() as bar:
            before = len(journal.known)
            shown = bar.add_task("scoring", total=len(tasks), completed=before, note="")

            def advance() -> None:
                done = bar.tasks[0].completed + 1 - before
                bar.update(shown, advance=1, note=f"{done / (time.monotonic() - started):.0f} rows/s")

            outcomes = score_all(tasks, advance, journal, scheduler)
        write_results(out, rows, outcomes)
    unjudged = [(row["file"], found.unjudged) for row, found in zip(rows.rows, outcomes, strict=True) if found.unjudged]
    if unjudged:
        file, why = unjudged[0]
        click.echo(f"rehabbox: no quality for {len(unjudged)} of the scored rows; the first, {file}: {why}", err=True)
    seconds = time.monotonic() - started
    failed = sum(outcome.status != "ok" for outcome in outcomes)
    if as_json:
        print_json({"rows": len(outcomes), "failed": failed, "seconds": round(seconds, 3)})
    else:
        none = ", none judged by the classifier" if fault and judge is None else ""
        click.echo(f"{out}: {len(outcomes)} rows in {seconds:.1f} s, {failed} of them not scored{none}")
    return 1 if fault or failed == len(outcomes) else 0


def _classifier() -> tuple[Judge | None, str | None]:
    """The installed one, and what of it is damaged: rows are scored without that."""
    try:
        judge = shipped_judge()
    except ModelError as error:
        return None, f"no quality classifier, its columns stay empty: {error}"
    if judge is not None and judge.levels_unusable:
        return judge, f"no levels of FineRehab's score, level_predicted is the network's: {judge.levels_unusable}"
    return judge, None
