"""Notices upward. trace tells; batches and shop may listen. A listener works inside the sender's transaction, and
what it raises undoes the whole: a notice cannot get lost between two rooms."""

from blinker import Namespace

_signals = Namespace()

batch_made = _signals.signal("batch-made")
"""A batch came to be. Sent with `session`, `batch`."""

units_left = _signals.signal("units-left")
"""Packs of a batch left other than through an order. Sent with `session`, `batch`, `units` (negative: came back) and
`lost` (True: nobody has them now)."""

batch_changed = _signals.signal("batch-changed")
"""A correction changed how many packs a batch had made, or voided it. Sent with `session`, `batch`."""

holds_changed = _signals.signal("holds-changed")
"""Packs were held, recalled or released. Sent with `session`, `batches` (each with its new `hold`)."""

recall_asked = _signals.signal("recall-asked")
"""What would a recall of these batches reach? Sent with `session`, `batches` (ids); answered with a
`trace.recalls.reach.Reach`. Nothing may be changed."""

recall_started = _signals.signal("recall-started")
"""A recall began, or a drill. Sent with `session`, `call` (`trace.recalls.reach.Call`) after its packs were held and
before its row is there: who keeps rows of it does so by `insert_later`. Answered with a `Reach`."""

recall_ended = _signals.signal("recall-ended")
"""A recall was lifted. Sent with `session`, `recall` (the row), `batches` (ids of the lots that it no longer stops)."""

recall_told = _signals.signal("recall-told")
"""Which orders did a recall reach? Sent with `session`, `recall_id`; answered with a `trace.recalls.reach.Reach`."""
