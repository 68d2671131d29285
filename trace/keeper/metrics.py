"""The log's own figures on /metrics, asked of the database at each scrape: true whichever worker answers."""

import datetime as dt
from collections.abc import Iterator

from flask import current_app
from prometheus_client.core import GaugeMetricFamily, Metric

from trace.keeper.state import facts
from trace.ledger import witnesses
from village import clock
from village.db import db

NEVER = float("inf")
"""The age of what never happened: older than any limit."""


class LedgerFigures:
    """A collector: how the log stands, as far as somebody must be woken."""

    def collect(self) -> Iterator[Metric]:
        """Nothing but the size before the log is born."""
        now = clock.now()
        it = facts(witnesses.policy())
        yield _gauge("soi_ledger_size", "Entries in the log.", it.size if it else 0)
        if it is None:
            return
        yield _gauge("soi_ledger_halted", "1 while the log signs nothing more.", int(it.halted is not None))
        if it.check_holds is not None:
            yield _gauge(
                "soi_ledger_selfcheck_holds", "1 when the last self-check found the log whole.", int(it.check_holds)
            )
        yield _gauge(
            "soi_ledger_selfcheck_age_seconds", "Seconds since the last self-check began.", _age(it.check_began, now)
        )
        yield _gauge("soi_ledger_evidence_total", "Pieces of evidence that contradict the log.", it.evidence)
        if current_app.extensions["soi"].tsa_url:
            waiting = it.unstamped_since
            yield _gauge(
                "soi_ledger_anchor_age_seconds",
                "Seconds that the oldest entry without a time stamp over it has waited for one; 0 when none waits.",
                _age(waiting, now) if waiting else 0,
            )
        lag = GaugeMetricFamily(
            "soi_ledger_witness_lag_entries", "Entries that the witness has not cosigned.", labels=["witness"]
        )
        age = GaugeMetricFamily(
            "soi_ledger_witness_age_seconds",
            "Seconds since the witness last answered; it is asked when there is something new.",
            labels=["witness"],
        )
        for witness in witnesses.standings(db.session()):
            lag.add_metric([witness.name], max(it.size - (witness.size or 0), 0))
            age.add_metric([witness.name], _age(witness.answered_at, now))
        yield lag
        yield age


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=value)


def _age(moment: dt.datetime | None, now: dt.datetime) -> float:
    return NEVER if moment is None else max((now - moment).total_seconds(), 0)
