"""A prescription that expires before it is done is told, whatever happens to the box meanwhile, and told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from appliance.messages.prescription import PrescribedExercise, Prescription
from appliance.missed import missed_session
from appliance.orders import Orders
from appliance.progress import Progress

NOW = datetime.now(UTC)


def prescription(expired: bool = True, **changes: object) -> Prescription:
    exercises = [
        PrescribedExercise(id=name, side=side, repetitions=3, reference="0" * 64)
        for name, side in (("shoulder_abduction", "left"), ("squat", "both"))
    ]
    fields = {
        "id": uuid4(),
        "issued": NOW - timedelta(hours=2),
        "expires": NOW + timedelta(hours=-1 if expired else 1),
        "subject": "p-1",
        "exercises": tuple(exercises),
    }
    return Prescription.model_validate(fields | changes)


class Box:
    """The parts that remember, over one file; `start` is what a power cut and its end do to them."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "progress.json"
        self.told: list[Prescription] = []
        self.accepts = True
        self.start()

    def start(self) -> None:
        self.progress = Progress(self._file)
        self.orders = Orders(self.progress, self._tell)

    def _tell(self, missed: Prescription) -> bool:
        self.told += [missed] if self.accepts else []
        return self.accepts

    def look(self) -> None:
        """As it does each fifth of a second while it waits."""
        self.orders.next(alive=self.orders.stop)
        self.orders.stopped = False


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_it_is_told_once_when_its_time_is_over(box: Box) -> None:
    late = prescription()
    box.orders.receive(late)
    box.look()
    box.look()
    box.start()
    box.look()
    assert box.told == [late]


def test_it_is_told_after_a_start_where_its_time_was_over_while_the_box_was_off(box: Box) -> None:
    late = prescription()
    box.orders.receive(late)
    box.start()
    assert box.told == []
    box.look()
    assert box.told == [late]


def test_it_is_told_before_the_next_one_takes_its_place(box: Box) -> None:
    late, following = prescription(), prescription(expired=False)
    box.orders.receive(late)
    box.orders.receive(following)
    assert box.told == [late]
    assert box.orders.next() == following


def test_one_that_the_hospital_took_back_or_replaced_in_time_is_not_missed(box: Box) -> None:
    box.orders.receive(prescription(expired=False))
    box.orders.receive(None)
    box.orders.receive(prescription(expired=False))
    box.orders.receive(prescription(expired=False, subject="p-2"))
    assert box.told == []


def test_one_that_was_done_is_not_missed(box: Box) -> None:
    done = prescription()
    box.orders.receive(done)
    box.progress.set_done(done.id, 0, 1)
    box.look()
    assert box.told == []


def test_where_the_disk_refuses_it_is_told_later(box: Box) -> None:
    late = prescription()
    box.accepts = False
    box.orders.receive(late)
    box.look()
    box.accepts = True
    box.look()
    box.look()
    assert box.told == [late]


def test_where_the_disk_refuses_it_is_told_although_the_next_one_took_its_place(box: Box) -> None:
    late, following = prescription(), prescription(expired=False)
    box.orders.receive(late)
    box.accepts = False
    box.orders.receive(following)
    box.accepts = True
    assert box.orders.next() == following
    assert box.told == [late]


def test_the_message_names_what_was_not_done_and_has_the_same_id_when_it_comes_again(box: Box) -> None:
    late = prescription()
    box.progress.set_done(late.id, 0)
    first, again = (missed_session("box-1", late, box.progress.remaining(late), False) for _ in range(2))
    assert first.id == again.id != late.id
    assert [item.exercise for item in first.exercises] == ["squat"]
    assert (first.state, first.started, first.current) == ("missed", None, None)
    assert first.reason == "the prescription expired, and 1 of 2 exercises were not done"
