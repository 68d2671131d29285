"""Notices upward. trace tells; batches and shop may listen. A listener works inside the sender's transaction, and
what it raises undoes the whole: a notice cannot get lost between two rooms."""

from blinker import Namespace

_signals = Namespace()

batch_made = _signals.signal("batch-made")
"""A batch came to be. Sent with `session`, `batch`."""

units_left = _signals.signal("units-left")
"""Packs of a batch left other than through an order. Sent with `session`, `batch`, `units` (negative: came back)."""

batch_changed = _signals.signal("batch-changed")
"""A correction changed how many packs a batch had made, or voided it. Sent with `session`, `batch`."""

holds_changed = _signals.signal("holds-changed")
"""Packs were held, recalled or released. Sent with `session`, `batches` (each with its new `hold`)."""
