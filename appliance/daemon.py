"""The box at work: waits for a prescription, runs its session, says what is wrong, and stops cleanly."""

from __future__ import annotations

import logging
import math
import signal
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from queue import Empty
from types import FrameType
from uuid import UUID

from systemd.daemon import notify

from appliance.camera_placement import REMEDY, look_at_start
from appliance.devices import LOST, REMEDIES, Devices, Role, driver_names
from appliance.enrolment.renewal import REMEDY as RENEWAL_REMEDY
from appliance.enrolment.renewal import renewal_of
from appliance.errors import OutboxError, RecordingError, RehabBoxError
from appliance.exercises import load_exercises
from appliance.health import HealthWatch
from appliance.hospital.events import Accepted, Connected, Disconnected, Event, Received, Refused
from appliance.hospital.link import Link
from appliance.hospital.losses import Losses
from appliance.hospital.outbox import Outbox
from appliance.hospital.signature import load_public_keys
from appliance.inbound.answers import Answers
from appliance.inbound.commands import Commands
from appliance.inbound.corrections import Corrections
from appliance.inbound.hooks import Hooks, installed_updater
from appliance.inbound.inbox import Inbox
from appliance.inbound.ledger import Ledger
from appliance.inbound.take_recorder import TakeRecorder
from appliance.journal import conceal
from appliance.messages.prescription import Prescription
from appliance.messages.topics import Topics
from appliance.missed import missed_session
from appliance.orders import Interruption, Orders, Task
from appliance.privacy.holding import Holding
from appliance.privacy.retention import Retention
from appliance.progress import Progress
from appliance.recording.disk import lock_folder
from appliance.recording.session_finishing import finish_session
from appliance.references import ReferenceFolder
from appliance.reporter import Reporter, messages_of_results, status_maker
from appliance.session import Session
from appliance.session_lock import session_lock
from appliance.settings import Settings
from appliance.update.record import Record
from appliance.warm_up import warm_up
from appliance.watchdog import WATCHDOG, Alive
from hal.recovery import Condition
from hal.registry import gives_depth
from hal.types import Cue

_log = logging.getLogger(__name__)

POLL_S = 0.5
COMMAND_S = 120.0
"""For what a message from the hospital may take: a new certificate."""
UPDATE_S = 10.0
"""Pause before it is asked again whether an update is over."""
CUT_OFF = "the box lost power or was killed"
FAULT = "a fault in the box's software"


class Daemon:
    """One box. The hospital's messages are handled on one thread, sessions run on another, so that alerts go on."""

    def __init__(self, settings: Settings) -> None:
        """Raises `SettingsError`, `OutboxError`, `RecordingError`, `HalError` where the box cannot work at all."""
        self._settings = settings
        load_exercises()  # a damaged exercise file is told at the start, not at the first prescription
        self._state_lock = lock_folder(settings.session.state)
        self._ledger = Ledger(settings.session.state / "accepted.json")
        conceal(lambda: self._ledger.subjects)
        self._devices = Devices.of(settings)
        topics = Topics(settings.broker.site, settings.broker.box)
        patient_system = settings.fhir.patient_system
        messages = messages_of_results(topics, patient_system)
        self._outbox = Outbox(settings.session.state, messages, settings.outbox.limit_mb << 20)
        self._progress = Progress(settings.session.state / "progress.json")
        self._link = Link(settings.broker, self._outbox, status_maker(driver_names(settings)), settings.outbox)
        self._reporter = Reporter(topics, self._outbox, self._link, patient_system)
        self._health = HealthWatch(topics.box, self._devices, self._outbox, settings.session.state)
        self._losses = Losses(self._outbox, self._reporter)
        self._devices.watch(self._device_changed)
        self._orders = Orders(self._progress, self._report_missed)
        self._refused: set[str] = set()
        self._renewal = renewal_of(settings.enrolment.folder, self._link.connect_again, self._certificate_trouble)
        self._inbox, self._commands, self._holding = self._hear(topics)
        self._retention = Retention(settings.retention, settings.session.state, self._outbox, self._open_session)
        self._ending = threading.Event()

    def _open_session(self) -> UUID | None:
        open_session = self._progress.interrupted
        return open_session.id if open_session is not None else None

    def _hear(self, topics: Topics) -> tuple[Inbox, Commands, Holding]:
        settings, state, reporter = self._settings, self._settings.session.state, self._reporter
        key = settings.session.reference_key
        ledger = self._ledger
        answers = Answers(topics, self._outbox)
        holding = Holding(state, ledger, self._progress, self._outbox, answers)
        takes = TakeRecorder(settings, self._devices, reporter, self._orders, answers)
        corrections = Corrections(self._outbox, answers)
        hooks = Hooks(self._renewal, installed_updater(settings))
        commands = Commands(
            settings, self._devices.indicator, self._orders, ledger, answers, holding, takes, corrections, hooks
        )
        keys = load_public_keys(key) if key is not None else ()
        references = ReferenceFolder(settings.session.references)
        inbox = Inbox(topics, keys, references, ledger, self._orders, reporter, answers, commands, holding)
        return inbox, commands, holding

    def run(self) -> None:
        """Until SIGTERM or SIGINT. What was done stays in the outbox and goes out with the next start."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        WATCHDOG.start()
        with WATCHDOG.watched("session") as alive:
            self._run(alive)

    def _run(self, alive: Alive) -> None:
        self._devices.indicator.open()
        self._link.start()
        threads = [
            threading.Thread(target=self._listen, name="hospital-events", daemon=True),
            threading.Thread(target=self._report_health, name="health", daemon=True),
        ]
        depth = any(map(gives_depth, self._settings.cameras.values()))
        # A stop need not wait for it.
        threading.Thread(target=partial(warm_up, depth=depth), name="warm-up", daemon=True).start()
        for thread in threads:
            thread.start()
        if self._renewal is not None:
            self._renewal.start()
        self._losses.tell()
        self._reporter.alert_if("update_refused", Record().why, "Tell the maker; the version before is back.")
        self._close_what_was_open()
        self._finish_hand_over()
        self._look_at_placements()
        self._devices.indicator.show(Cue("waiting"))
        _notify("READY=1")
        _log.info("ready; %d messages wait for the broker", self._outbox.counters().queued)
        try:
            while (order := self._orders.next(alive)) is not None:
                if isinstance(order, Prescription):
                    self._run_unless_updated(order, alive)
                else:
                    self._do(order, alive)
        finally:
            _notify("STOPPING=1")
            self._ending.set()
            if self._renewal is not None:
                self._renewal.stop()
            for thread in threads:
                thread.join()
            self._link.stop()
            self._devices.indicator.close()
            self._devices.button.close()
            self._outbox.close()
            self._state_lock.close()
            WATCHDOG.stop()
            _log.info("stopped")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._orders.stop()

    def _run_unless_updated(self, prescription: Prescription, alive: Alive) -> None:
        with ExitStack() as held:
            try:
                ours = held.enter_context(session_lock(self._settings.session.state))
            except OSError as error:
                what = f"No session can begin: {error.filename}: {error.strerror}."
                _log.error("%s", what)
                remedy = "Give the box's state folder, with all in it, to the daemon's user, and check the disk."
                self._reporter.raise_alert("storage_failed", what, remedy)
                self._orders.postpone(prescription, self._settings.session.offer_again_s)
                return
            if ours:
                self._run_session(prescription, alive)
            else:
                _log.info("the box is being updated; the session waits")
                self._orders.postpone(prescription, UPDATE_S)

    def _do(self, task: Task, alive: Alive) -> bool:
        """Whether it could be done: a hand-over may find a disk that refuses. Commands answer for themselves."""
        try:
            task(alive)
        except (RehabBoxError, OSError) as error:
            what = f"The last patient's data cannot be erased: {' '.join(str(error).split())}."
            _log.error("%s", what)
            remedy = "Check the box's disk; the next patient's session waits for it."
            self._reporter.raise_alert("erasing_failed", what, remedy)
            return False
        self._reporter.clear_alert("erasing_failed")
        return True

    def _run_session(self, prescription: Prescription, alive: Alive) -> None:
        def interruption() -> Interruption | None:
            alive()
            return self._orders.interruption(prescription)

        if not self._do(partial(self._holding.settle, prescription.subject), alive):
            self._orders.postpone(prescription, self._settings.session.offer_again_s)
            return
        try:
            Session(prescription, self._settings, self._devices, self._reporter, self._progress, interruption).run()
            self._reporter.clear_alert("software_fault")
        except Exception as error:  # noqa: BLE001  the next session may go well, and the hospital must hear of this one
            _log.exception("the session failed")
            self._reporter.raise_alert(
                "software_fault",
                f"A session broke off: {FAULT} ({type(error).__name__}).",
                "Report it to the maker with the box's log; the exercise is offered again.",
            )
            self._close_session(FAULT)
            self._devices.indicator.show(Cue("waiting"))
        if not self._progress.is_done(prescription) and self._orders.interruption(prescription) != "called":
            self._orders.postpone(prescription, self._settings.session.offer_again_s)

    def _report_missed(self, prescription: Prescription) -> bool:
        """Whether it is on its way; where the disk refuses, it is tried again."""
        remaining = self._progress.remaining(prescription)
        try:
            self._reporter.session(missed_session(self._reporter.box, prescription, remaining, self._devices.synthetic))
        except OutboxError as error:
            self._reporter.raise_alert("storage_failed", str(error), "Free disk space on the box.")
            return False
        return True

    def _look_at_placements(self) -> None:
        """Two cameras are tried together, and compared with their calibration, before anybody relies on them."""
        placements = self._devices.placements
        if placements is None:
            return
        placements.on_change = lambda fault: self._reporter.alert_if("camera_moved", fault, REMEDY)
        for role, fault in look_at_start(self._devices.cameras, placements).items():
            self._reporter.raise_alert(LOST[role], fault, REMEDIES[role])

    def _close_what_was_open(self) -> None:
        """After a power cut: the session says how it ended, and its files are finished."""
        self._close_session(CUT_OFF)
        for part in (self._settings.session.state / "sessions").rglob("*.part"):
            try:
                finish_session(part)
            except RecordingError as error:
                _log.warning("%s", error)

    def _finish_hand_over(self) -> None:
        """One that a power cut kept from being done."""
        accepted = self._ledger.accepted
        if accepted is not None and self._ledger.holder not in (None, accepted.subject):
            self._orders.enlist(partial(self._holding.settle, accepted.subject))

    def _close_session(self, reason: str) -> None:
        """A session that did not get to say how it ended is abandoned, where there is one."""
        interrupted = self._progress.interrupted
        if interrupted is not None:
            ended = {"state": "abandoned", "reason": reason, "at": datetime.now(UTC), "current": None}
            try:
                # It may have been killed between a result and the note that its exercise is done.
                if done := self._outbox.results_of(str(interrupted.id)):
                    self._progress.set_done(interrupted.prescription, *done)
                self._reporter.session(interrupted.model_copy(update=ended))
                self._progress.close_session()
            except OutboxError as error:
                _log.error("%s", error)

    def _device_changed(self, role: Role, condition: Condition) -> None:
        if condition.state == "lost":
            self._reporter.raise_alert(LOST[role], condition.error or "", REMEDIES[role])
        elif condition.error is None:
            self._reporter.clear_alert(LOST[role])

    def _certificate_trouble(self, what: str | None) -> None:
        self._reporter.alert_if("certificate_expiring", what, RENEWAL_REMEDY)

    def _report_health(self) -> None:
        interval_s = self._settings.health.interval_s
        with WATCHDOG.watched("health") as alive:
            alive(interval_s)
            while not self._ending.wait(interval_s):
                alive(interval_s)
                self._enforce_retention(alive)
                try:
                    self._losses.tell()
                    health = self._health.collect(self._reporter.sync_error_ms)
                except (OutboxError, OSError) as error:
                    _log.warning("no health message: %s", error)
                    continue
                self._reporter.health(health, math.ceil(3 * interval_s))

    def _enforce_retention(self, alive: Alive) -> None:
        try:
            self._retention.enforce(alive)
        except (OutboxError, OSError) as error:
            _log.warning("old session files are not erased: %s", error)

    def _listen(self) -> None:
        with WATCHDOG.watched("hospital-events") as alive:
            while not self._ending.is_set():
                alive()
                self._commands.follow_up()
                try:
                    self._holding.see_off(alive)
                except (OutboxError, OSError) as error:
                    _log.warning("%s", error)
                try:
                    event = self._link.events.get(timeout=POLL_S)
                except Empty:
                    continue
                alive(COMMAND_S)
                try:
                    self._handle(event)
                except Exception:  # noqa: BLE001  the box must not go deaf over one message
                    _log.exception("a message from the hospital could not be handled")

    def _handle(self, event: Event) -> None:
        match event:
            case Connected():
                self._reporter.clear_alert("broker_unreachable")
            case Disconnected(reason):
                self._reporter.raise_alert(
                    "broker_unreachable",
                    f"No connection to the hospital's broker: {reason}. Results are kept on the box.",
                    "Check network, broker address, port and certificates.",
                )
            case Refused(topic, reason):
                self._refused.add(topic)
                self._reporter.raise_alert(
                    "broker_refused",
                    f"The broker does not take {topic}: {reason}. What is durable is kept on the box.",
                    "Check the box's rights at the broker, and that a system of the hospital subscribes to results.",
                )
            case Accepted(topic):
                self._refused.discard(topic)
                if not self._refused:
                    self._reporter.clear_alert("broker_refused")
            case Received():
                self._inbox.receive(event)


def _notify(state: str) -> None:
    """A supervisor that cannot be told is no reason not to work."""
    try:
        notify(state)
    except OSError as error:
        _log.warning("systemd cannot be told %s: %s", state, error)
