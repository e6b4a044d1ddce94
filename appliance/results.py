"""The payload of a result: what was recorded, what it was assessed as, and everything that produced it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from appliance.assessment import Assessment
from appliance.messages.model import without_folders
from appliance.messages.prescription import Prescription
from appliance.messages.result import DataQuality, Outcome, Result, Versions
from appliance.recorded_set import REASONS, RecordedSet
from appliance.reporter import SOFTWARE


@dataclass(frozen=True, slots=True)
class Origin:
    """Where results of a session come from."""

    box: str
    session: UUID
    prescription: Prescription
    drivers: dict[str, str]
    synthetic: bool
    calibration: str | None = None


def outcome_of(recorded: RecordedSet, assessment: Assessment) -> Outcome:
    if assessment.reason is None:
        return "scored"
    return "abandoned" if recorded.broken_off else "not_scored"


def make_result(
    origin: Origin,
    index: int,
    recorded: RecordedSet,
    assessment: Assessment,
    notes: tuple[str, ...],
    result_id: UUID,
    sequence: int,
) -> Result:
    """index: of the prescription's exercise. notes: what a reader must know beside the score's own."""
    prescribed = origin.prescription.exercises[index]
    outcome, judged = outcome_of(recorded, assessment), assessment.set_quality
    if outcome == "scored" and assessment.complete < prescribed.repetitions:
        notes = (*notes, f"{assessment.complete} of {prescribed.repetitions} repetitions: {REASONS[recorded.end]}")
    return Result(
        id=result_id,
        sequence=sequence,
        box=origin.box,
        session=origin.session,
        prescription=origin.prescription.id,
        subject=origin.prescription.subject,
        exercise=prescribed.id,
        side=prescribed.side,
        started=recorded.started,
        ended=recorded.ended,
        status=outcome,
        reason=assessment.reason,
        paced=prescribed.paced,
        historical=False,  # marked when it is sent, see `Delivery`
        repetitions=assessment.repetitions,
        score=assessment.score.model_copy(update={"notes": (*assessment.score.notes, *map(without_folders, notes))}),
        quality=judged.quality if judged else None,
        fine_rehab=judged.fine_rehab if judged else None,
        symmetry=assessment.symmetry,
        data_quality=DataQuality(
            frames=recorded.frames,
            lost=recorded.lost,
            joints_seen=assessment.joints_seen,
            sync_error_ms=recorded.sync.error_ms,
            kept=recorded.sync.kept,
            filled=min(1.0, assessment.filled + recorded.filled),
            gravity=recorded.recording.gravity,
        ),
        versions=Versions(
            software=SOFTWARE,
            reference=prescribed.reference,
            model=judged.model if judged else None,
            weights=judged.weights if judged else None,
            levels=judged.levels if judged else None,
            calibration=origin.calibration,
            drivers=origin.drivers,
        ),
        synthetic=origin.synthetic,
    )
