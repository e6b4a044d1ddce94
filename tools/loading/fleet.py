"""All boxes on one loop, and what the run asks of them: to connect, to make results, to lose lines, to come back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic

from appliance.hospital.throwaway import ThrowawayBroker
from box import Box, Journal
from loop import Loop
from results import Results, health

Say = Callable[[str], None]


class Fleet:
    """A context manager, since outboxes are files."""

    def __init__(
        self, broker: ThrowawayBroker, folder: Path, boxes: int, spread_s: float, seed: int, say: Say
    ) -> None:  # fmt: skip
        self.journal = Journal()
        self.loop = Loop()
        self._broker, self._say, self._random = broker, say, Random(seed)  # noqa: S311
        self._results = Results(seed)
        self._making = self._cutting = True
        sample = health("box-0000")
        self.boxes: list[Box] = []
        for number in range(boxes):
            settings = broker.settings_for(f"box-{number:04d}").model_copy(update={"spread_s": spread_s})
            self.boxes.append(
                Box(settings, folder, self.loop, self.journal, self._make, self._results.messages, sample)
            )

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for box in self.boxes:
            box.close()

    @property
    def connected(self) -> int:
        return sum(box.connected for box in self.boxes)

    @property
    def queued(self) -> int:
        return sum(box.outbox.counters().queued for box in self.boxes)

    def connect(self, timeout_s: float) -> bool:
        """All at once, as after a power cut in the whole town; whether all are connected in time."""
        for box in self.boxes:
            box.start()
        return self.wait_until_all(lambda: self.connected == len(self.boxes), timeout_s, "connected")

    def make_results(self, every_s: float) -> None:
        """From now on, each box at a time of its own."""

        def make(box: Box) -> None:
            if self._making:
                box.put_result()
                self.loop.after(every_s, lambda: make(box))

        for box in self.boxes:
            self.loop.after(self._random.uniform(0, every_s), lambda box=box: make(box))  # type: ignore[misc]

    def stop_making(self) -> None:
        self._making = False

    def stop_cutting(self) -> None:
        self._cutting = False

    def cut_lines(self, a_minute: float) -> None:
        """From now on, one random box's each time."""
        if a_minute <= 0:
            return

        def cut() -> None:
            if self._cutting:
                self._random.choice(self.boxes).cut_line()
                self.loop.after(self._random.expovariate(a_minute / 60), cut)

        self.loop.after(self._random.expovariate(a_minute / 60), cut)

    def restart_broker(self, away_s: float) -> float:
        """Stops it, and starts it after so long; the time when it listened again."""
        with ThreadPoolExecutor(1) as beside:
            for work, pause_s in ((self._broker.stop, away_s), (self._broker.start, 0.0)):
                done = beside.submit(work)
                self.loop.run(done.done)
                done.result()
                self.run_for(pause_s)
        return monotonic()

    def run_for(self, seconds: float) -> None:
        end_s = monotonic() + seconds
        self.loop.run(lambda: monotonic() >= end_s)

    def wait_until_all(self, true: Callable[[], bool], timeout_s: float, what: str) -> bool:
        """Whether it came true in time; says now and then how far it is."""
        end_s, said_s = monotonic() + timeout_s, monotonic()
        while not true() and monotonic() < end_s:
            self.run_for(0.2)
            if monotonic() - said_s > 5.0:
                said_s = monotonic()
                self._say(f"  {self.connected} of {len(self.boxes)} {what}")
        return true()

    def _make(self, box: str, sequence: int) -> bytes:
        result_id, payload = self._results.make(box, sequence)
        self.journal.put[str(result_id)] = datetime.now(UTC)
        return payload
