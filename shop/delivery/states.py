"""The carrier's words, folded into our states. Imports no framework.

A carrier tells what happened twice, late and out of order; asked again, it tells the whole story. So a story is folded
as a whole: what is new in it becomes steps, and where the parcel is now is what the carrier says of now.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class DeliveryState(StrEnum):
    """How far a parcel came. Carriers' own words are folded into these."""

    CREATED = "created"
    PICKING = "picking"
    """The carrier is on the way to fetch it."""
    PICKED = "picked"
    TRANSIT = "transit"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAIL_ATTEMPT = "fail_attempt"
    RETURNING = "returning"
    RETURNED = "returned"
    LOST_DAMAGED = "lost_damaged"
    CANCELLED = "cancelled"


WORDS = {
    "ready_to_pick": DeliveryState.CREATED,
    "picking": DeliveryState.PICKING,
    "money_collect_picking": DeliveryState.PICKING,
    "picked": DeliveryState.PICKED,
    "storing": DeliveryState.TRANSIT,
    "transporting": DeliveryState.TRANSIT,
    "sorting": DeliveryState.TRANSIT,
    "delivering": DeliveryState.DELIVERING,
    "money_collect_delivering": DeliveryState.DELIVERING,
    "delivered": DeliveryState.DELIVERED,
    "delivery_fail": DeliveryState.FAIL_ATTEMPT,
    "waiting_to_return": DeliveryState.RETURNING,
    "return": DeliveryState.RETURNING,
    "return_transporting": DeliveryState.RETURNING,
    "return_sorting": DeliveryState.RETURNING,
    "returning": DeliveryState.RETURNING,
    "return_fail": DeliveryState.RETURNING,
    "returned": DeliveryState.RETURNED,
    "damage": DeliveryState.LOST_DAMAGED,
    "lost": DeliveryState.LOST_DAMAGED,
    "cancel": DeliveryState.CANCELLED,
}
"""GHN's statuses. `exception` and whatever it invents later move nothing."""
ENDS = frozenset((DeliveryState.DELIVERED, DeliveryState.RETURNED, DeliveryState.LOST_DAMAGED, DeliveryState.CANCELLED))
"""Where a parcel stays, unless the carrier takes it back (see `may_follow`)."""
BACK = (DeliveryState.RETURNED, DeliveryState.LOST_DAMAGED, DeliveryState.CANCELLED)
"""Ends after which somebody says what became of the packs."""
ON_THE_WAY = tuple(state for state in DeliveryState if state not in ENDS)
AT_HOME = (DeliveryState.CREATED, DeliveryState.PICKING)
"""The carrier does not have it yet, so it can be called off."""


@dataclass(frozen=True)
class Report:
    """One thing that was said of a parcel."""

    state: DeliveryState
    at: dt.datetime
    note: str = ""


@dataclass(frozen=True)
class Heard:
    """What a story adds: steps in the order of time, and where the parcel is now."""

    new: tuple[Report, ...]
    state: DeliveryState


def may_follow(before: DeliveryState, after: DeliveryState) -> bool:
    """True when a parcel may go on like this. Delivered is delivered: money and order stand on it. The other ends hold
    until somebody has looked at the packs, for carriers find again what they had lost."""
    return before is not DeliveryState.DELIVERED and before is not after


def fold(
    before: DeliveryState,
    kept: Iterable[tuple[DeliveryState, dt.datetime]],
    story: Iterable[Report],
    now: DeliveryState | None,
    at: dt.datetime,
) -> Heard:
    """What `story` adds to the steps that are kept; `now` is the carrier's word for this moment `at`, None for a word
    that moves nothing.

    Two reports of one state in a row are one (a parcel passes many sorting halls), except failed attempts. What a
    story tells of the time before the last kept step is known already.
    """
    steps = sorted(kept, key=lambda step: step[1])
    state = now if now is not None and may_follow(before, now) else before
    if state is before and before in ENDS:
        return Heard((), before)
    newest, last = (steps[-1][1], steps[-1][0]) if steps else (None, None)
    new: list[Report] = []
    for report in sorted(story, key=lambda report: report.at):
        late = newest is not None and report.at <= newest
        again = report.state is last and report.state is not DeliveryState.FAIL_ATTEMPT
        # An end that the carrier does not stand by now is none.
        if late or again or (report.state in ENDS and report.state is not state):
            continue
        newest, last = report.at, report.state
        new.append(report)
    if state is not before and last is not state:
        new.append(Report(state, max(at, newest) if newest else at))
    return Heard(tuple(new), state)
