"""What happens to a box in whose software a part hangs, and to one that is unplugged."""

from __future__ import annotations

from time import sleep

from appliance.hospital.throwaway import ThrowawayBroker
from tests.image.conftest import TEMPO, Installed, listening
from tests.integration.conftest import Hospital

UNIT = "rehabbox.service"
PACKAGES = "/usr/lib/rehabbox/lib/python3.11/site-packages"
HANGING = '''
import os, threading, time
from hal.camera.synthetic import SyntheticCamera

class Hanging(SyntheticCamera):
    """Hangs in its hundredth read, the first time it is used."""
    reads = 0

    def read(self, timeout_s):
        self.reads += 1
        if self.reads == 100 and not os.path.exists("hung"):
            open("hung", "w").close()
            threading.Event().wait()
        return super().read(timeout_s)
'''


def test_a_hung_camera_thread_is_ended_by_the_watchdog_and_the_box_comes_back_and_finishes(
    box: Installed, hospital: Hospital
) -> None:
    machine = box.machine
    info = f"{PACKAGES}/hanging-1.0.dist-info"
    machine.write(f"{info}/METADATA", "Metadata-Version: 2.1\nName: hanging\nVersion: 1.0\n")
    machine.write(f"{info}/entry_points.txt", "[rehabbox.drivers]\ncamera.hanging = hanging:Hanging\n")
    machine.write(f"{PACKAGES}/hanging.py", HANGING)
    machine.write("/etc/systemd/system/rehabbox.service.d/quick.conf", "[Service]\nWatchdogSec=10s\n")
    box.settings(camera={"driver": "hanging"})
    exercise = box.exercise("squat", "both", 3)
    machine.boot()
    machine.wait(UNIT)
    box.machine.until_logged(UNIT, "the scorer is ready")
    hospital.prescribe([exercise])
    box.machine.until_logged(UNIT, "no progress in camera")
    assert "hanging.py" in machine.journal("-u", UNIT), "the log says where it stood"
    box.machine.until_logged(UNIT, "Watchdog request")
    machine.wait(UNIT)
    assert machine.show(UNIT, "NRestarts") == "1"
    hospital.wait(lambda heard: bool(heard.of("result")), timeout_s=180)
    (result,) = hospital.of("result")
    assert result["status"] == "scored"
    ends = [session for session in hospital.of("session") if session["state"] == "abandoned"]
    assert len(ends) == 1


def test_a_box_unplugged_in_a_session_says_so_at_the_next_boot_and_sends_what_it_kept(
    box: Installed, broker: ThrowawayBroker
) -> None:
    machine = box.machine
    exercises = [box.exercise("squat", "both", 3), box.exercise("shoulder_abduction", "left", 3)]
    machine.boot()
    machine.wait(UNIT)
    box.machine.until_logged(UNIT, "the scorer is ready")
    with listening(broker) as hospital:
        hospital.prescribe(exercises)
        hospital.wait(lambda heard: any(one["state"] == "recording" for one in heard.of("session")))
    broker.stop()  # what is finished from here on cannot be sent before the plug is pulled
    box.machine.until_logged(UNIT, "squat: scored")
    sleep(2.0 / TEMPO)
    machine.kill()
    broker.start()
    with listening(broker) as hospital:
        machine.boot()
        machine.wait(UNIT)
        hospital.wait(lambda heard: len(heard.of("result")) == 2, timeout_s=240)
    kept, later = sorted(hospital.of("result"), key=lambda result: result["sequence"])
    assert (kept["exercise"], kept["status"], kept["historical"]) == ("squat", "scored", True)
    assert (later["exercise"], later["status"]) == ("shoulder_abduction", "scored")
    assert later["session"] != kept["session"]
    abandoned = [one for one in hospital.of("session") if one["id"] == kept["session"] and one["state"] == "abandoned"]
    assert [one["reason"] for one in abandoned] == ["the box lost power or was killed"]
