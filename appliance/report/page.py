"""A report as one HTML page: nothing is fetched, nothing runs in it, and whatever a file says is shown as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from appliance.quality.parts import LEVELS
from appliance.report.content import Content
from appliance.report.pictures import pictures_of
from appliance.reporter import SOFTWARE

_GRAVITY = {
    "accelerometer": "by the camera's accelerometer",
    "camera": "the camera's own: a tilted camera changes the score",
}

_HALF = 0.5


@dataclass(frozen=True, slots=True)
class ScoreRow:
    name: str
    value: str
    floor: str
    says: str


def page_of(content: Content) -> str:
    """The whole document."""
    environment = Environment(
        loader=PackageLoader("appliance.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html").render(
        content=content,
        pictures=pictures_of(content),
        facts=list(_facts(content)),
        scores=list(_scores(content)),
        judged=list(_judged(content)),
        quality=list(_quality(content)),
        notes=[note for note in content.assessment.score.notes if not note.startswith("both: ")],
        versions=list(_versions(content)),
        number=_number,
        done=sum(one.complete for one in content.repetitions),
    )


def _number(value: float | None, digits: int) -> str:
    """Empty for none, and no minus before a zero."""
    return "" if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _facts(content: Content) -> Iterator[str]:
    taken = content.taken
    if taken.subject:
        yield f"subject {taken.subject}"
    if taken.side != "both":
        yield f"{taken.side} side"
    if taken.started is not None:
        yield f"{taken.started:%Y-%m-%d %H:%M} UTC"
    done = [one for one in content.assessment.repetitions if one.complete]
    yield f"{len(done)} of {len(content.assessment.repetitions)} repetitions complete"
    yield f"{taken.recording.duration_s:.0f} s"


def _scores(content: Content) -> Iterator[ScoreRow]:
    comparison = content.comparison
    if comparison is None:
        return
    for name, label, says in (
        ("pose_dissimilarity", "pose D_P", f"{content.unit}; 0: the reference's poses"),
        ("dynamics_dissimilarity", "dynamics D_T", "0: moves as much; above: less, below: more"),
        ("dissimilarity", "balanced D", "pose and dynamics by the calibration"),
        ("dissimilarity_extended", "extended", "0: alike; independent of the pace"),
        ("tempo_ratio", "tempo", "duration against the reference's"),
        ("mean_lag_s", "lag, s", "above 0: later than the reference"),
    ):
        value = getattr(comparison, name)
        if value is not None:
            floor = content.noise_floor.get(name)
            yield ScoreRow(label, _number(value, 3), _number(floor, 3), says)


def _judged(content: Content) -> Iterator[str]:
    """What the quality classifier says, where one is installed: each of its two views with what it is compared with."""
    found = content.assessment.set_quality
    if found is None:
        return
    if not found.quality.sure:
        yield "Not sure: most repetitions are another movement than the reference's, or unlike all it was trained on."
    correct, level = found.quality.quality, None
    yield f"{correct:.0%} likely done correctly: learned from persons who were told to do it right, or wrong."
    if found.fine_rehab is not None:
        level = found.fine_rehab.level
        dimensions = ", ".join(f"{name} {value:.1f}" for name, value in found.fine_rehab.dimensions.items())
        yield f"FineRehab's dimensions, 4 the best: {dimensions}."
    if level is not None:
        yield (
            f"Level {LEVELS.index(level) + 1} of 5, {level}: among virtual patients, four in five of whom have faults. "
            "A high level alone does not mean correct."
        )
        if (correct < _HALF) == (LEVELS.index(level) > LEVELS.index("average")) and level != "average":
            yield "These two disagree: be sure of neither, and go by the findings above and the pictures below."


def _quality(content: Content) -> Iterator[tuple[str, str]]:
    recording = content.taken.recording
    yield "frames", f"{len(recording)}, {len(recording) / max(recording.duration_s, 1e-9):.1f} a second"
    yield "joints seen", f"{content.assessment.joints_seen:.0%} of those that count"
    yield "filled", f"{content.assessment.filled:.1%} by interpolation over short gaps"
    yield "up", _GRAVITY.get(recording.gravity, recording.gravity)


def _versions(content: Content) -> Iterator[str]:
    taken = content.taken
    yield f"reference {taken.reference or content.reference_name}"
    if taken.camera:
        yield f"camera {taken.camera}"
    if taken.software:
        yield f"recorded by {taken.software}"
    yield f"report by {SOFTWARE}"
    if content.assessment.set_quality is not None:
        yield f"classifier {content.assessment.set_quality.model}"
