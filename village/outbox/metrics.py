"""How many messages wait and have failed, and how long the oldest has waited, on /metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func, select

from village import clock
from village.db import read_once
from village.outbox.models import Channel, Message, MessageState

TOLD = (MessageState.WAITING, MessageState.FAILED)


class OutboxFigures:
    """A collector: asked of the database at each scrape."""

    def collect(self) -> Iterator[Metric]:
        """Messages by channel and state, and the age of the oldest that waits in each channel."""
        which = (Message.state.in_(TOLD), Message.erased_at.is_(None))
        query = select(Message.channel, Message.state, func.count(), func.min(Message.made_at))
        rows = read_once(query.where(*which).group_by(Message.channel, Message.state), {})
        found = {(channel, state): (count, oldest) for channel, state, count, oldest in map(list, rows)}
        counts = GaugeMetricFamily("soi_outbox_messages", "Messages by channel and state.", labels=["channel", "state"])
        ages = GaugeMetricFamily(
            "soi_outbox_oldest_wait_seconds", "How long the oldest message has waited.", labels=["channel"]
        )
        now = clock.now()
        for channel in Channel:
            for state in TOLD:
                counts.add_metric([channel.value, state.value], found.get((channel, state), (0, None))[0])
            oldest = found.get((channel, MessageState.WAITING), (0, None))[1]
            ages.add_metric([channel.value], (now - oldest).total_seconds() if oldest else 0)
        yield counts
        yield ages
