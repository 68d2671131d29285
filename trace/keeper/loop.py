"""The keeper's loop: looks at each duty once a second, does it or has it done, and lets each fail alone."""

import datetime as dt
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import structlog
from flask import Flask

from trace.keeper import duties
from trace.keeper.place import Place, Turn, stamp
from trace.keeper.schedule import DUTIES, TICK, Duty
from village import clock

GRACE = 3.0
"""Seconds that a duty's process has to end when it is asked to."""

log = structlog.get_logger("soi.keeper")


class Stopped(BaseException):
    """Somebody asked the keeper to end."""


@dataclass
class Standing:
    """How one duty stands in this process."""

    duty: Duty
    turn: Turn = field(default_factory=Turn)
    failures: int = 0
    not_before: float = 0.0
    """By the monotonic clock."""
    process: subprocess.Popen[bytes] | None = None
    began: dt.datetime = field(default_factory=clock.now)
    deadline: float = 0.0


class Keeper:
    """Does these duties for the app's instance."""

    def __init__(self, app: Flask, wanted: Sequence[Duty] = DUTIES) -> None:
        self._app = app
        self._place = Place(app.extensions["soi"].instance)
        self._all = [Standing(duty) for duty in wanted]
        self._written: dict[str, Turn] = {}

    def run(self, parent: int | None = None) -> None:
        """Keep until SIGTERM or SIGINT, or until process `parent` is no longer ours. A second keeper waits for the
        first to end."""
        with self._ending(), _listening(parent) as asked_again:
            while True:
                with self._place.only_one() as alone:
                    while alone:
                        self._look()
                        asked_again()
                        time.sleep(TICK)
                asked_again()
                time.sleep(TICK)

    def once(self) -> bool:
        """Do once what is due now, for those who call it by a timer; False when something failed, another keeper is at
        work, or it was asked to end."""
        done = False
        with self._ending(), _listening() as asked_again, self._place.only_one() as alone:
            if not alone:
                log.warning("another keeper is at work")
                return False
            self._look()
            while any(standing.process for standing in self._all):
                asked_again()
                time.sleep(TICK / 5)
                for standing in self._all:
                    if standing.process:
                        self._tend(standing)
            self._tell()
            done = all(standing.failures == 0 for standing in self._all)
        return done

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """However the block ends, no process of ours is left behind."""
        try:
            yield
        except Stopped:
            pass
        finally:
            for standing in self._all:
                if standing.process is not None:
                    _end(standing.process)

    def _look(self) -> None:
        for standing in self._all:
            self._tend(standing)
        self._tell()

    def _tend(self, standing: Standing) -> None:
        try:
            if standing.process is not None:
                self._watch(standing, standing.process)
            elif time.monotonic() >= standing.not_before or duties.wished(standing.duty, self._place):
                self._begin(standing)
        except Exception as error:
            self._failed(standing, error)

    def _begin(self, standing: Standing) -> None:
        duty = standing.duty
        with self._app.app_context():
            standing.not_before = time.monotonic() + duty.every
            if not duties.due(duty, self._place):
                return
            standing.began = clock.now()
            if not duty.command:
                duties.do(duty)
                self._done(standing)
                return
        self._place.make()
        if duty.name == "check":
            self._place.forget_wish()
        standing.turn = Turn(began=stamp(standing.began))
        standing.deadline = time.monotonic() + duty.patience
        settings = self._app.extensions["soi"]
        command = duties.command(duty, settings)
        with self._place.output(duty.name).open("wb") as out, self._place.errors(duty.name).open("wb") as errors:
            standing.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True
            )
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, standing.process.pid, settings.keeper_nice)

    def _watch(self, standing: Standing, process: subprocess.Popen[bytes]) -> None:
        status = process.poll()
        if status is None:
            if time.monotonic() > standing.deadline:
                _end(process)
                standing.process = None
                raise TimeoutError(f"it took more than {standing.duty.patience} s")
            return
        standing.process = None
        with self._app.app_context():
            duties.finish(standing.duty, status, self._place, standing.began)
        self._done(standing)

    def _done(self, standing: Standing) -> None:
        again = not standing.duty.command and standing.turn.ended and not standing.failures
        standing.failures = 0
        if again:
            return  # every few seconds: not worth a write
        standing.turn = Turn(began=stamp(standing.began), ended=stamp(clock.now()))

    def _failed(self, standing: Standing, error: Exception) -> None:
        standing.failures += 1
        wait = standing.duty.wait(standing.failures)
        standing.not_before = time.monotonic() + wait
        # Texts of a database's or network's errors may hold addresses and names; ours are made to be told.
        said = str(error) if isinstance(error, duties.TOLD) else type(error).__name__
        now = clock.now()
        standing.turn = replace(
            standing.turn, ended=stamp(now), failed=said[:500], again=stamp(now + dt.timedelta(seconds=wait))
        )
        log.warning("duty failed", duty=standing.duty.name, why=said[:500], again_in=wait)

    def _tell(self) -> None:
        turns = {standing.duty.name: standing.turn for standing in self._all}
        if turns == self._written:
            return
        try:
            self._place.make()
            self._place.write_slate(turns)
            self._written = turns
        except OSError as error:
            log.warning("the slate cannot be written", why=error.strerror)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a duty's process and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _listening(parent: int | None = None) -> Iterator[Callable[[], None]]:
    """Raise Stopped within the block when asked to end; past it, finish in peace.

    Gives a function that raises it again: where the signal came within a destructor or a library's callback, Python
    swallows what a handler raises.
    """
    asked = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        asked.set()
        raise Stopped

    def again() -> None:
        if asked.is_set():
            raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    if parent is not None:
        threading.Thread(target=_mind, args=(parent,), daemon=True).start()
    try:
        yield again
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if asked.is_set() else handler)


def _mind(parent: int) -> None:
    """Ask ourselves to end when process `parent` is our parent no more. To the main thread: it may be in a wait that
    only a signal of its own ends."""
    main = threading.main_thread().ident
    assert main is not None
    while os.getppid() == parent:
        time.sleep(TICK / 2)
    signal.pthread_kill(main, signal.SIGTERM)
