"""What one connection costs a box: the daemon's own link, with its threads and an outbox on disk, in this process."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from appliance.hospital.events import Connected
from appliance.hospital.link import Link
from appliance.hospital.outbox import Outbox
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.topics import Topics
from appliance.reporter import messages_of_results
from box import HEALTH_EXPIRY_S, HEALTH_S, SESSION, status
from hospital import Hospital
from results import Results, health

LIMIT = 0.01
"""Of a core."""


def one_connection(seconds: float, every_s: float) -> dict[str, Any]:
    """A result every `every_s`, health every half minute, over so many seconds. Raises `BrokerError`."""
    with TemporaryDirectory(prefix="rehabbox-load-") as name:
        folder = Path(name)
        with (
            ThrowawayBroker(folder / "broker") as broker,
            Hospital(broker.settings_for("hospital"), folder, 1) as there,
        ):
            settings = broker.settings_for("box-0001")
            topics = Topics(settings.site, settings.box)
            outbox = Outbox(folder / "box", messages_of_results(topics, "urn:rehabbox:load"))
            link = Link(settings, outbox, status)
            results, sample = Results(1), health("box-0001")

            def make(sequence: int) -> bytes:
                return results.make("box-0001", sequence)[1]

            link.start()
            while not isinstance(link.events.get(timeout=10), Connected):
                pass
            began_s, spent_s, made = time.monotonic(), time.process_time(), 0
            healthy_s = began_s
            while time.monotonic() - began_s < seconds:
                outbox.put_result(SESSION, f"{made:05d}_squat", make)
                made += 1
                if time.monotonic() >= healthy_s:
                    link.publish_once(link.topics.health, sample, HEALTH_EXPIRY_S)
                    healthy_s += HEALTH_S
                time.sleep(every_s)
            share = (time.process_time() - spent_s) / (time.monotonic() - began_s)
            deadline_s = time.monotonic() + 10.0
            while there.stored < made and time.monotonic() < deadline_s:
                time.sleep(0.1)
            lost = made - there.stored
            link.stop()
            outbox.close()
    return {"ok": share < LIMIT and lost == 0, "core": round(share, 5), "limit": LIMIT, "results": made, "lost": lost}
