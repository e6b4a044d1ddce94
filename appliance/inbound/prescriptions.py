"""Which prescription is followed: a valid one, newer than any before it, for a day that is not over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from appliance.clock import is_sane
from appliance.errors import RefusedError, UnknownExerciseError
from appliance.exercises import exercise_by_id
from appliance.inbound.ledger import Ledger, content_digest
from appliance.messages.prescription import Prescription, parse_prescription

TOLERANCE = timedelta(minutes=5)
"""Between the hospital's clock and the box's (ours)."""


def admit_prescription(payload: bytes, ledger: Ledger) -> tuple[Prescription, bool]:
    """What can be followed, and whether it is new: the last one comes again with each connection.

    Raises `RefusedError` with what it lacks. The ledger is only read.
    """
    prescription = parse_prescription(payload)
    try:
        return prescription, _check(prescription, ledger)
    except RefusedError as error:
        error.request = prescription.id
        raise


def _check(prescription: Prescription, ledger: Ledger) -> bool:
    """Whether it is new. Raises `RefusedError`."""
    known = ledger.accepted
    again = known is not None and known.id == prescription.id
    if known is not None and again:
        if known.sha256 != content_digest(prescription):
            raise RefusedError(
                "prescription.id: it was used for other content; give a changed one a new id", "id_reused"
            )
        if known.withdrawn:
            raise RefusedError("prescription.id: it was withdrawn; give it a new id to send it again", "too_old")
    elif ledger.issued is not None and prescription.issued <= ledger.issued:
        raise RefusedError(
            f"prescription.issued: {prescription.issued.isoformat()} is not later than {ledger.issued.isoformat()}, "
            "when the last one was issued or a patient forgotten",
            "too_old",
        )
    if ledger.is_leaving(prescription.subject):
        raise RefusedError("prescription.subject: is being forgotten; send it when that is done", "being_forgotten")
    _check_exercises(prescription)
    now = datetime.now(UTC)
    if prescription.expires <= now:
        raise RefusedError(f"prescription.expires: {prescription.expires.isoformat()} is over", "expired")
    if is_sane(now) and prescription.issued > now + TOLERANCE:
        raise RefusedError(
            f"prescription.issued: {prescription.issued.isoformat()} is in the future; the box's clock says "
            f"{now.isoformat(timespec='seconds')}",
            "future",
        )
    return not again


def _check_exercises(prescription: Prescription) -> None:
    for index, item in enumerate(prescription.exercises):
        try:
            sides = exercise_by_id(item.id).sides
        except UnknownExerciseError as error:
            raise RefusedError(f"prescription.exercises.{index}.id: {error}", "unknown_exercise") from None
        if item.side not in sides:
            raise RefusedError(f"prescription.exercises.{index}.side: {item.id} is done with {' or '.join(sides)}")
