"""`command/correct-result`: the corrected result goes out as the measured one did, by the outbox and with its FHIR."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from pydantic import ValidationError

from appliance.correction import corrected, original_of
from appliance.errors import RefusedError
from appliance.hospital.outbox import Outbox
from appliance.inbound.answers import Answers, Request
from appliance.messages.command import CorrectResult
from appliance.messages.model import encode
from appliance.messages.result import Correction, Result


class Corrections:
    """Results lie beside their session files, corrected ones too, for as long as those are kept."""

    def __init__(self, outbox: Outbox, answers: Answers) -> None:
        self._outbox, self._answers = outbox, answers

    def correct(self, command: CorrectResult, request: Request) -> None:
        """On disk, then answered. Raises `RefusedError` for a result that is not here, `OutboxError`."""
        session, place, result = self._measured(command.result)
        correction = Correction(
            replaces=result.id,
            action="withdrawn" if command.action == "withdraw" else "amended",
            by=command.by,
            at=datetime.now(UTC),
            reason=command.reason,
            repetitions=command.repetitions,
            score=command.score,
        )
        new_id = uuid4()
        self._outbox.put_result(
            session,
            f"{place}.correction-{command.id}",
            lambda sequence: encode(corrected(result, correction, new_id, sequence)),
        )
        self._answers.give(request, "done", command.id, corrected=new_id)

    def _measured(self, result_id: UUID) -> tuple[str, str, Result]:
        """Session, place and result as it was measured; result_id: its own, or of one that took its place."""
        found = self._kept(result_id)
        original = original_of(found[2])
        return found if original == result_id else self._kept(original)

    def _kept(self, result_id: UUID) -> tuple[str, str, Result]:
        kept = self._outbox.result(result_id)
        if kept is None:
            raise RefusedError("command.correct-result.result: the box holds no such result", "unknown_result")
        session, place, payload = kept
        try:
            return session, place, Result.model_validate_json(payload)
        except ValidationError:
            raise RefusedError("command.correct-result.result: another version wrote it", "unknown_result") from None
