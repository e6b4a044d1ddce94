"""Who does the work of a batch: processes of this machine, or a Dask cluster. A worker that dies loses nothing."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from typing import TypeVar

from appliance.errors import RehabBoxError

Job = TypeVar("Job")
Result = TypeVar("Result")

_ATTEMPTS = 3
"""Times that a worker may die over the same job; the job itself is at fault then, likely by its size."""
_CONNECT_S = 10


def on_processes(work: Callable[[Job], Result], jobs: list[Job], workers: int) -> Iterator[Result]:
    """The results as they come, in any order. Raises `RehabBoxError` where processes die again and again."""
    left, fruitless = dict(enumerate(jobs)), 0
    while left:
        before = len(left)
        # "spawn": a forked child would inherit the locks of this process's threads (the progress bar has one).
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_stay_with_parent)
        try:
            running = {pool.submit(work, job): number for number, job in left.items()}
            for done in as_completed(running):
                result = done.result()
                del left[running[done]]
                yield result
        except BrokenProcessPool:
            fruitless = fruitless + 1 if len(left) == before else 0
            if fruitless == _ATTEMPTS:
                raise RehabBoxError("scoring processes are ended from outside, likely for lack of memory") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _stay_with_parent() -> None:
    """Ctrl-C reaches every process of a terminal: the parent answers it, and ends its workers.

    A parent that is killed cannot, and its workers would wait for more work for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_after_parent, daemon=True).start()


def _end_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def on_cluster(work: Callable[[Job], Result], jobs: list[Job], scheduler: str) -> Iterator[Result]:
    """As `on_processes`, on the workers of the Dask scheduler at an address such as tcp://10.0.0.5:8786.

    Workers need this package and the same files under the same names. Raises `RehabBoxError` where Dask is not
    installed, nobody answers, or a job ends one worker after the other. A connection that breaks is made anew.
    """
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise RehabBoxError("--scheduler needs Dask: pip install 'rehabbox[cluster]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a broken connection is told below, in one line
    left, fruitless = dict(enumerate(jobs)), 0
    while left:
        before = len(left)
        try:
            client = distributed.Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            again = "" if before == len(jobs) else "; what is scored is kept: start it again"
            raise RehabBoxError(f"--scheduler {scheduler}: no Dask scheduler answers there{again}: {error}") from None
        with client:
            # What a dead worker held is computed anew by the others: the scheduler sees to it.
            futures = client.map(work, list(left.values()), pure=False, retries=_ATTEMPTS - 1)
            numbers = dict(zip(futures, list(left), strict=True))
            for done in distributed.as_completed(futures, loop=client.loop):
                if done.status == "error":
                    raise RehabBoxError(
                        f"--scheduler {scheduler}: a worker could not do its part: {done.exception()!r}"
                    )
                if done.status != "finished":
                    break  # the scheduler is gone, and with it everything it was told
                result = done.result()
                del left[numbers[done]]
                yield result
                done.release()
        fruitless = fruitless + 1 if len(left) == before else 0
        if left and fruitless == _ATTEMPTS:
            raise RehabBoxError(f"--scheduler {scheduler}: the connection breaks again and again")
