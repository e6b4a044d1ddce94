"""A result that a therapist withdrew or set right, as the result that takes its place; a pure function."""

from __future__ import annotations

from uuid import UUID

from appliance.messages.result import Correction, Result, Score


def corrected(result: Result, correction: Correction, result_id: UUID, sequence: int) -> Result:
    """result: as it was measured. What was measured stays in an amended one; a withdrawn one holds nothing of it."""
    changes: dict[str, object] = {"id": result_id, "sequence": sequence, "correction": correction, "historical": False}
    if correction.action == "withdrawn":
        changes |= {"status": "withdrawn", "reason": correction.reason, "repetitions": (), "score": Score()}
        changes |= {"quality": None, "fine_rehab": None, "symmetry": {}}
    return Result.model_validate(result.model_copy(update=changes).model_dump())


def original_of(result: Result) -> UUID:
    """Id of the result as it was measured: of itself, or of the one it took the place of."""
    return result.correction.replaces if result.correction else result.id
