"""Reading a live video's comments as they come, and what was missed while we were away.

The list is followed oldest first, page by page, from the place that was reached; each page is in the log before its end
becomes the new place. So what was cut off by a fault, of theirs or ours, is read from there, and read twice does
nothing twice.

Comments that Facebook lets appear late stand before the place. So the newest are looked at every few seconds, and every
few minutes a part of the list is swept once more (`sweeping`): what that finds is still decided, oldest first. The last
sweep is of the whole list, when nothing is expected any more after the session's end. A place that is lost to a sweep
leaves the reader's own where it is.
"""

import datetime as dt
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from shop.live import intake
from shop.live.log import Said
from shop.live.models import LiveSession, LiveSource
from shop.live.sources.facebook.graph import Graph
from shop.live.sources.facebook.services import graph
from shop.live.sources.facebook.sweeping import LATE, Sweep
from shop.live.sources.faults import LOST_PLACE, REFUSED, TOO_OFTEN, UNREACHABLE, SourceFault
from shop.live.sources.services import note, wanted
from village import clock
from village.db import db
from village.errors import SoiError

BUSY, QUIET, ENDED = 1.0, 3.0, 15.0
"""Seconds between two looks: while comments come, while none do, and after the session's end."""
LOOK_BACK = 20.0
"""Seconds between two looks at the newest comments."""
SIGN_OF_LIFE = 30.0
"""Seconds after which a look that brought nothing is noted all the same."""
PAGES_AT_ONCE = 50
"""Pages in one visit; what is left comes with the next."""
SWEPT_AT_ONCE = 5
"""Pages of a sweep in one visit: what is new goes first."""
LONGEST = 60.0
_PAUSES = {REFUSED: LONGEST, TOO_OFTEN: LONGEST, LOST_PLACE: 0.0}
_KNOWN_MAX = 32 * 1024


@dataclass
class Reader:
    """One source's reader: what it remembers from one visit to the next. Losing it loses nothing."""

    source_id: str
    faults: int = 0
    """How often it failed in a row."""
    looked_back: float = 0.0
    noted: float = 0.0
    sweep: Sweep = field(default_factory=Sweep)
    known: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def visit(self) -> float | None:
        """Read what there is, once; seconds until it is worth while again, None when there is nothing more to read."""
        found = db.session.execute(
            select(LiveSource.external_id, LiveSource.cursor, LiveSession.status, LiveSession.ended_at)
            .join(LiveSession, LiveSession.id == LiveSource.session_id)
            .where(LiveSource.id == self.source_id, LiveSource.kind == "facebook", wanted())
        ).first()
        db.session.remove()
        if found is None:
            return None
        video, cursor, status, ended_at = found
        late = dt.timedelta(seconds=LATE)
        last = status == "ended" and ended_at is not None and clock.now() - ended_at >= late
        try:
            with graph() as asked:
                heard = self._read(asked, str(video), cursor)
                swept = self._sweep(asked, str(video), last=last)
        except SourceFault as fault:
            return self._failed(fault.slug)
        except SoiError as error:
            # Of ours: the session takes nothing any more, or the disk is full. What was not taken is read again.
            return self._failed(error.slug[:40])
        self.faults = 0
        if last and swept:
            note(self.source_id, over=True)
            return None
        self._sign_of_life()
        if heard or not swept:
            return BUSY
        return QUIET if status != "ended" else ENDED

    def _read(self, asked: Graph, video: str, cursor: str) -> int:
        heard = 0
        for _ in range(PAGES_AT_ONCE):
            page = asked.comments(video, cursor)
            heard += self._take(page.said, page.cursor if page.cursor != cursor else None)
            cursor = page.cursor
            self.sweep.reached(cursor)
            if not page.more:
                break
        else:
            return heard
        if time.monotonic() - self.looked_back > LOOK_BACK:
            heard += self._take(asked.newest(video), None)
            self.looked_back = time.monotonic()
        return heard

    def _sweep(self, asked: Graph, video: str, *, last: bool) -> bool:
        """Read on in the sweep that is due, if one is; True when nothing of it is left."""
        place = self.sweep.place(last=last)
        for _ in range(PAGES_AT_ONCE if last else SWEPT_AT_ONCE):
            if place is None:
                return True
            try:
                page = asked.comments(video, place)
            except SourceFault as fault:
                if fault.slug == LOST_PLACE:
                    self.sweep.lost()
                    return False
                raise
            self._take(page.said, None)
            place = self.sweep.read(page.cursor, more=page.more)
        return place is None

    def _take(self, said: Sequence[Said], cursor: str | None) -> int:
        """Have them decided, and note the place behind them; how many this reader had not had before."""
        fresh = [one for one in said if one.id not in self.known]
        if fresh or cursor is not None:
            if fresh:
                intake.feed(self.source_id, fresh)
            note(self.source_id, cursor=cursor)
            self.noted = time.monotonic()
        for one in fresh:
            self.known[one.id] = None
        while len(self.known) > _KNOWN_MAX:
            self.known.popitem(last=False)
        return len(fresh)

    def _failed(self, slug: str) -> float:
        self.faults += 1
        note(self.source_id, fault=slug, cursor="" if slug == LOST_PLACE else None)
        longest = LONGEST if slug != UNREACHABLE else 15.0
        return _PAUSES.get(slug, min(BUSY * 2.0 ** min(self.faults, 6), longest))

    def _sign_of_life(self) -> None:
        if time.monotonic() - self.noted > SIGN_OF_LIFE:
            note(self.source_id)
            self.noted = time.monotonic()
