"""One process at a time in a fleet's folder, and changes that happen as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from appliance.errors import FleetError, RecordingError
from appliance.fleet.store import Store
from appliance.recording.disk import lock_folder

LONGEST_WAIT_S = 5.0
"""For another process that works on the same fleet."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Raises `FleetError` where another process does not end in time."""
    deadline = monotonic() + LONGEST_WAIT_S
    while True:
        try:
            lock = lock_folder(folder)
            break
        except RecordingError as error:
            if monotonic() > deadline:
                raise FleetError(str(error)) from None
        sleep(0.05)
    with lock:
        yield


@contextmanager
def transaction(store: Store) -> Iterator[None]:
    """Committed at the end; an error inside leaves everything as it was."""
    store.run("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if store.db.in_transaction:  # a full disk may have ended it
            store.run("ROLLBACK")
        raise
    store.run("COMMIT")
