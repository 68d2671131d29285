"""How many jobs wait, run and have failed, on /metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func, select

from village import clock
from village.db import read_once
from village.jobs.models import Job, State

TOLD = (State.WAITING, State.RUNNING, State.FAILED)


class JobFigures:
    """A collector: asked of the database at each scrape."""

    def collect(self) -> Iterator[Metric]:
        """Jobs by state (the failed ones as long as they are kept), and how long the oldest has waited."""
        rows = read_once(
            select(Job.state, func.count(), func.min(Job.made_at)).where(Job.state.in_(TOLD)).group_by(Job.state), {}
        )
        found = {state: (count, oldest) for state, count, oldest in map(list, rows)}
        jobs = GaugeMetricFamily("soi_jobs", "Jobs by state.", labels=["state"])
        for state in TOLD:
            jobs.add_metric([state.value], found.get(state, (0, None))[0])
        yield jobs
        oldest = found.get(State.WAITING, (0, None))[1]
        waited = (clock.now() - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily("soi_jobs_oldest_wait_seconds", "How long the oldest job has waited.", value=waited)
