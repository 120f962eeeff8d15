"""Executors: jobs go in, runs come out as they finish. Every run of a submission goes through one.

``Local`` runs them on this machine. Another one needs the methods of ``Executor``; it looks into the store before it
runs a job, and keeps a run there before it yields it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from harness.errors import SubmissionError
from harness.runs.cores import Lease
from harness.runs.job import Job, ignore, run_job
from harness.runs.kept import KeptRuns
from harness.runs.run import Run
from harness.runs.worker_log import Event

_PATIENCE = 0.5

JobListener = Callable[[Job, Event], bool]
"""Called with each event of a job, in the thread that waits for its worker; true ends the run."""


def _ignore(_: Job, __: Event) -> bool:
    return False


@dataclass(frozen=True)
class Finished:
    """A job that has come to an end.

    Attributes:
        job: which one.
        result: its run, or an exception where the machine or the harness failed, not the submission.
        kept: whether the run was made earlier and found in the store.
    """

    job: Job
    result: Run | Exception
    kept: bool = False

    def run(self) -> Run:
        """The run.

        Raises:
            Exception: what went wrong with the machine or the harness.
        """
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class Executor(Protocol):
    """Where runs are made.

    Attributes:
        store: where they are kept, if anywhere.
    """

    store: KeptRuns | None

    def run(self, jobs: Iterable[Job], listen: JobListener = _ignore) -> Generator[Finished]:
        """Run jobs, and yield each as it finishes. Closing the generator ends those that are under way.

        Args:
            jobs: taken one by one, whenever there is room for another.
            listen: called with each event of a job, from several threads at once.
        """

    def stop(self) -> None:
        """Take no more jobs and end those that are under way, whose runs then say that they were stopped."""


class Local:
    """Runs jobs on this machine, some at a time, each on cores of its own.

    Args:
        slots: how many at a time.
        store: where runs are kept, and found again.
    """

    def __init__(self, slots: int = 1, store: KeptRuns | None = None) -> None:
        self.slots, self.store = slots, store
        self._over = threading.Event()

    def stop(self) -> None:
        """See `Executor`; from any thread, or from a signal's handler."""
        self._over.set()

    def run(self, jobs: Iterable[Job], listen: JobListener = _ignore) -> Generator[Finished]:
        """See `Executor`. Each slot is a thread, since a worker dies with the thread that started it."""
        waiting, self._over = _Waiting(iter(jobs)), threading.Event()
        over = self._over
        done: SimpleQueue[Finished | BaseException | None] = SimpleQueue()

        def work() -> None:
            try:
                while not over.is_set() and (job := waiting.take()) is not None:
                    finished = self._settled(job, waiting, listen, over)
                    if finished is not None:
                        done.put(finished)
            except BaseException as error:  # raised by the caller's own iterator: it is theirs to see
                done.put(error)
            done.put(None)

        threads = [threading.Thread(target=work, name=f"slot {number}") for number in range(self.slots)]
        try:
            for thread in threads:
                thread.start()
            at_work = len(threads)
            while at_work:
                try:
                    end = done.get(timeout=_PATIENCE)
                except Empty:  # Without a timeout the wait could not be interrupted from the keyboard on every system.
                    continue
                match end:
                    case None:
                        at_work -= 1
                    case Finished() as finished:
                        yield finished
                    case BaseException() as error:
                        raise error
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _settled(self, job: Job, waiting: _Waiting, listen: JobListener, over: threading.Event) -> Finished | None:
        """The end of a job; None where another process is running it and there is other work to do meanwhile."""
        try:
            if self.store is None:
                return Finished(job, self._made(job, listen, over))
            with self.store.claim(job.key, wait=waiting.is_last(job)) as ours:
                if not ours:
                    waiting.put_off(job)
                    return None
                if (kept := self.store.find(job.name, job.key)) is not None:
                    return Finished(job, kept, kept=True)
                run = self._made(job, listen, over)
                if not run.stopped:
                    self.store.keep(job.name, job.key, run)
                return Finished(job, run)
        except Exception as error:
            return Finished(job, error)

    def _made(self, job: Job, listen: JobListener, over: threading.Event) -> Run:
        with Lease(self.slots, job.conditions.threads) as cores:
            return run_job(job, lambda event: listen(job, event), over.is_set, cores)


class _Waiting:
    """Jobs that are still to be taken; those that another process is running come last."""

    def __init__(self, jobs: Iterator[Job]) -> None:
        self._jobs, self._later, self._lock = jobs, deque[Job](), threading.Lock()
        self._tried: set[str] = set()

    def take(self) -> Job | None:
        with self._lock:
            job = next(self._jobs, None)
            return job if job is not None else (self._later.popleft() if self._later else None)

    def put_off(self, job: Job) -> None:
        with self._lock:
            self._tried.add(job.key)
            self._later.append(job)

    def is_last(self, job: Job) -> bool:
        """Whether it was put off before, so that only waiting for it is left to do."""
        return job.key in self._tried


def run_one(job: Job, executor: Executor, listen: Callable[[Event], bool] = ignore) -> Run:
    """Run a single job.

    Raises:
        MachineError: this machine lacks what was asked for.
    """
    (finished,) = executor.run([job], lambda _, event: listen(event))
    return finished.run()


def ask_facts(job: Job, executor: Executor) -> Run:
    """A submission's facts; its run ends as soon as it is loaded, before it trains.

    Raises:
        SubmissionError: it could not be loaded.
        MachineError: this machine lacks what was asked for.
    """
    run = run_one(job, executor, lambda _: True)
    if not run.stopped:
        raise SubmissionError(f"{job.name}: {run.reason}")
    return run
