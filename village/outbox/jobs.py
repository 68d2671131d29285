"""The kind of job that sends."""

from typing import Any

from village.i18n import lazy_gettext as _l
from village.jobs.kinds import kind
from village.jobs.work import Work
from village.outbox.sending import send_all
from village.outbox.services import SEND


@kind(SEND, name=_l("Gửi tin"))
def send(work: Work) -> dict[str, Any]:
    """Send what is due. Done again, it sends only what was not sent."""
    return dict(send_all(work.go_on))
