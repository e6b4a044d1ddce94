"""What a press of the button means between two exercises: a whole session of this process, no broker."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from appliance.demo.instructor import record_reference
from appliance.devices import Devices
from appliance.hospital.authority import Authority
from appliance.hospital.link import Link
from appliance.hospital.outbox import Outbox
from appliance.messages.prescription import PrescribedExercise, Prescription
from appliance.messages.topics import Topics
from appliance.progress import Progress
from appliance.reporter import Reporter, messages_of_results
from appliance.session import Session
from appliance.settings import load_settings
from hal.button.evdev import EVENT

SETTINGS = """\
session = {{state = "{folder}", references = "{folder}", announce_s = 1.2, settle_s = 0.7}}
guidance = {{place = false, countdown_s = 0.0, words_s = 0.4, ask = false}}
camera = {{driver = "synthetic"}}
pose = {{driver = "device"}}
indicator = {{driver = "synthetic", tempo = 5.0, reaction_s = 0.0}}
button = {{driver = "evdev", device = "{folder}/event3"}}
[broker]
host = "localhost"
ca = "{ca}"
certificate = "{certificate}"
key = "{key}"
site = "clinic"
box = "box-1"
"""


def test_who_presses_while_they_are_thanked_ends_the_session_and_keeps_what_was_done(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "event3")
    kernel = os.open(tmp_path / "event3", os.O_RDWR)
    authority = Authority(tmp_path / "authority")
    files = authority.client("box-1")
    (tmp_path / "settings.toml").write_text(
        SETTINGS.format(folder=tmp_path, ca=authority.certificate, certificate=files.certificate, key=files.key)
    )
    settings = load_settings(tmp_path / "settings.toml", {})
    devices = Devices.of(settings)
    topics = Topics("clinic", "box-1")
    outbox = Outbox(tmp_path, messages_of_results(topics, None))
    reporter = Reporter(topics, outbox, Link(settings.broker, outbox, lambda state, number: b""))
    progress = Progress(tmp_path / "progress.json")
    exercises = tuple(
        PrescribedExercise(
            id=name, side="both", repetitions=1, reference=record_reference(name, "both", 1, 5.0, tmp_path)
        )
        for name in ("squat", "heel_raise")
    )
    now = datetime.now(UTC)
    prescription = Prescription(
        id=uuid4(),
        issued=now,
        expires=now + timedelta(hours=1),
        subject="p-1",
        affected_side="left",
        exercises=exercises,
    )
    told: list[str] = []
    devices.indicator.open()
    show = devices.indicator.show

    def shown(cue):
        told.append(f"{cue.kind} {cue.hint or cue.detail.get('number', '')} {cue.exercise}".replace("  ", " ").strip())
        show(cue)
        if cue.kind == "done":
            os.write(kernel, EVENT.pack(1764336000, 0, 1, 48, 1))

    devices.indicator.show = shown
    try:
        Session(prescription, settings, devices, reporter, progress, lambda: None).run()
    finally:
        devices.button.close()
        devices.indicator.close()
        outbox.close()
        os.close(kernel)
    assert told == [
        "ready 1 squat", "recording squat", "scoring squat", "done squat", "abandoned stopped squat", "waiting",
    ]  # fmt: skip
    assert progress.remaining(prescription) == [1]
