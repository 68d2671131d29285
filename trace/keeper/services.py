"""What the office sees of the log, and what it may ask of the keeper."""

import datetime as dt
import json
import time
from dataclasses import dataclass

import structlog
from flask import current_app

from trace.keeper.place import Place, Turn
from trace.keeper.schedule import CHECK
from trace.keeper.state import Alarm, Facts, alarms, facts
from trace.ledger import witnesses
from trace.ledger.audit.resume import Progress
from trace.ledger.policy import Policy
from trace.ledger.witnesses import PolicyTrouble
from village import clock

REMEMBERED = 10.0
"""Seconds for which a process does not ask again whether something is the matter, for the banner on every page."""
CACHE = "soi.keeper.facts"

log = structlog.get_logger("soi.keeper")


@dataclass(frozen=True)
class _Asked:
    at: float
    facts: Facts | None
    trouble: PolicyTrouble | None
    """Why nobody knows who the witnesses are."""


@dataclass(frozen=True)
class Checking:
    """How the self-check stands."""

    kept: bool
    """Whether a keeper is at work at all."""
    wished: bool
    """Somebody asked for a check that did not begin yet."""
    since: dt.datetime | None
    """When the running check began."""
    failed: str
    """Why the last one did not come to its end; empty when it did."""
    again: dt.datetime | None
    """When the keeper tries again by itself."""
    done: int
    """Entries that the running check has left behind, and of how many; 0 of 0 where it does not say."""
    of: int


def facts_now() -> Facts | None:
    """How the log stands, asked anew; None before it is born."""
    return _ask().facts


def alarms_now() -> list[Alarm]:
    """What is the matter, from facts at most some seconds old; never fails, since it stands on every page."""
    asked: _Asked | None = current_app.extensions.get(CACHE)
    if asked is None or time.monotonic() - asked.at > REMEMBERED:
        try:
            asked = _ask()
        except Exception as error:
            log.warning("nobody knows how the log stands", why=type(error).__name__)
            return []
    found = alarms(asked.facts, clock.now(), stamped=stamping()) if asked.facts else []
    if asked.trouble is not None:
        found.append(Alarm("policy", str(asked.trouble)))
    return found


def _ask() -> _Asked:
    trouble, policy = None, Policy()
    try:
        policy = witnesses.policy()
    except PolicyTrouble as error:
        trouble = error
    asked = _Asked(time.monotonic(), facts(policy), trouble)
    current_app.extensions[CACHE] = asked
    return asked


def checking(origin: str) -> Checking:
    """How the self-check of the log `origin` stands."""
    place = _place()
    kept, turn = place.kept(), place.read_slate().get(CHECK.name, Turn())
    done, of = _progress(origin) if kept and turn.running else (0, 0)
    return Checking(
        kept=kept,
        wished=place.check_wished(),
        since=_moment(turn.began) if kept and turn.running else None,
        failed=turn.failed,
        again=_moment(turn.again),
        done=done,
        of=of,
    )


def _progress(origin: str) -> tuple[int, int]:
    """How far the running check is, from the file in which it keeps a line for each chunk that held."""
    try:
        with Progress(_place().instance / "verify", origin).path.open("rb") as file:
            head = json.loads(file.readline())
            return min(sum(1 for _ in file) * int(head["chunk"]), int(head["size"])), int(head["size"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0


def ask_check() -> None:
    """Ask the keeper for a check now. It begins within a second or so, or when a keeper is there again."""
    _place().wish_check()


def _place() -> Place:
    return Place(current_app.extensions["soi"].instance)


def _moment(told: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(told)
    except ValueError:
        return None


def stamping() -> bool:
    """Whether there is an authority that stamps the log."""
    return bool(current_app.extensions["soi"].tsa_url)
