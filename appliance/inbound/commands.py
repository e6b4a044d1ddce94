"""Commands: each for this box, in time, at most once. Quick ones are done here, those that need the devices are
enlisted to be done between sets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from appliance.clock import is_sane
from appliance.doctor import examine
from appliance.errors import RefusedError, RehabBoxError
from appliance.hospital.events import Received
from appliance.inbound.answers import Answers, Request
from appliance.inbound.corrections import Corrections
from appliance.inbound.hooks import Hooks
from appliance.inbound.ledger import Ledger
from appliance.inbound.prescriptions import TOLERANCE
from appliance.inbound.take_recorder import TakeRecorder
from appliance.inbound.updates import Updates
from appliance.messages.answer import Check, LogLevel, SelfTestReport
from appliance.messages.command import (
    Command,
    CorrectResult,
    ForgetPatient,
    RecordReference,
    RotateCertificate,
    SelfTest,
    SetLogLevel,
    Update,
    parse_command,
)
from appliance.orders import Orders, Task
from appliance.privacy.holding import Holding
from appliance.settings import Settings
from appliance.watchdog import Alive
from hal.errors import HalError
from hal.recovering_indicator import RecoveringIndicator

_log = logging.getLogger(__name__)

LONGEST_CHECK_S = 60.0
"""One check of a self-test: two cameras that must be started in their order."""


def admit_command(name: str, received: Received, box: str, ledger: Ledger) -> Command:
    """The command, if it is to be carried out now; the ledger then knows it. Raises `RefusedError`."""
    if received.retained:
        raise RefusedError(
            "command: it is retained, and would come again with each connection; send it without, and clear the topic",
            "retained",
        )
    command = parse_command(name, received.payload)
    try:
        _check(name, command, box, ledger)
    except RefusedError as error:
        error.request = command.id
        raise
    ledger.begin(command.id, command.expires)
    return command


def _check(name: str, command: Command, box: str, ledger: Ledger) -> None:
    if command.box != box:
        raise RefusedError(f"command.{name}.box: it is for another box than {box}", "wrong_box")
    if ledger.begun(command.id):
        raise RefusedError(f"command.{name}.id: it came before; a new command needs a new id", "repeated")
    now = datetime.now(UTC)
    if command.expires <= now:
        raise RefusedError(f"command.{name}.expires: {command.expires.isoformat()} is over", "expired")
    if is_sane(now) and command.issued > now + TOLERANCE:
        raise RefusedError(f"command.{name}.issued: {command.issued.isoformat()} is in the future", "future")


class Commands:
    """`carry_out` belongs to the thread that hears the hospital; what it enlists runs where sessions run."""

    def __init__(
        self,
        settings: Settings,
        indicator: RecoveringIndicator,
        orders: Orders,
        ledger: Ledger,
        answers: Answers,
        holding: Holding,
        takes: TakeRecorder,
        corrections: Corrections,
        hooks: Hooks,
    ) -> None:
        self._settings, self._indicator, self._orders, self._ledger = settings, indicator, orders, ledger
        self._answers, self._holding, self._takes, self._renewal = answers, holding, takes, hooks.renewal
        self._corrections, self._updates = corrections, Updates(hooks.updater, ledger, answers)

    def carry_out(self, command: Command, request: Request) -> None:
        """One that was admitted. It is answered, now or later, whatever comes of it."""
        match command:
            case SetLogLevel():
                self._answered(command, request, lambda: self._set_log_level(command, request))
            case RotateCertificate():
                self._answered(command, request, lambda: self._rotate_certificate(command, request))
            case Update():
                self._answered(command, request, lambda: self._updates.ask(command, request))
            case CorrectResult():
                self._answered(command, request, lambda: self._corrections.correct(command, request))
            case SelfTest():
                self._enlist(command, request, lambda alive: self._test(command, request, alive))
            case RecordReference():
                self._enlist(command, request, lambda alive: self._takes.record(command, request, alive))
            case ForgetPatient():
                self._stop_following(command)
                self._enlist(command, request, lambda alive: self._holding.forget(command, request, alive))

    def follow_up(self) -> None:
        """Answers what was begun before and is decided now; to be called now and then by the same thread."""
        self._updates.follow_up()

    def _enlist(self, command: Command, request: Request, do: Task) -> None:
        self._orders.enlist(partial(self._in_time, command, request, do))

    def _in_time(self, command: Command, request: Request, do: Task, alive: Alive) -> None:
        if command.expires <= datetime.now(UTC):
            reason = "it expired while the box was busy with a patient's set"
            self._answers.refuse(request, RefusedError(reason, "expired", command.id))
            return
        self._answered(command, request, partial(do, alive))

    def _answered(self, command: Command, request: Request, do: Callable[[], None]) -> None:
        try:
            do()
        except RefusedError as error:
            error.request = command.id
            self._answers.refuse(request, error)
        except (RehabBoxError, HalError, OSError) as error:
            self._answers.give(request, "failed", command.id, reason=" ".join(str(error).split()))
        except Exception as error:  # noqa: BLE001  whoever asked must hear of it, and the box goes on
            _log.exception("%s failed", request.name)
            reason = f"a fault in the box's software ({type(error).__name__})"
            self._answers.give(request, "failed", command.id, reason=reason)

    def _set_log_level(self, command: SetLogLevel, request: Request) -> None:
        root = logging.getLogger()
        before = logging.getLevelName(root.level)
        root.setLevel(command.level)
        self._answers.give(request, "done", command.id, log_level=LogLevel(before=before, now=command.level))

    def _rotate_certificate(self, command: RotateCertificate, request: Request) -> None:
        if self._renewal is None:
            reason = "this box renews no certificate by itself; enrol it again by hand"
            self._answers.give(request, "unsupported", command.id, reason=reason)
            return
        if command.certificate is not None:
            new = self._renewal.install(command.certificate)
        elif self._renewal.online:
            new = self._renewal.renew()
        else:
            wanted = self._renewal.request()
            self._answers.give(request, "done", command.id, certificate_request=wanted)
            return
        until = f"the new certificate is valid until {new.not_valid_after_utc.isoformat()}"
        self._answers.give(request, "done", command.id, detail=until)

    def _test(self, command: SelfTest, request: Request, alive: Alive) -> None:
        """The light and loudspeaker are let go of meanwhile, for they are tried like everything else."""
        self._indicator.close()
        checks = []
        try:
            alive(LONGEST_CHECK_S)
            for check in examine(self._settings):
                alive(LONGEST_CHECK_S)
                checks.append(Check(name=check.name, ok=check.ok, detail=check.detail, remedy=check.remedy))
        finally:
            self._indicator.open()
        self._answers.give(request, "done", command.id, self_test=SelfTestReport(checks=tuple(checks)))

    def _stop_following(self, command: ForgetPatient) -> None:
        """What is prescribed for that subject ends now, also a set under way, and does not come back with a retained
        message that was written before."""
        current, accepted = self._orders.current, self._ledger.accepted
        if accepted is not None and accepted.subject == command.subject:
            self._ledger.forget_accepted(command.issued)
        if current is not None and current.subject == command.subject:
            self._orders.receive(None)
