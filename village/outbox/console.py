"""A village without a provider, as on a developer's machine: messages become files that one can look at."""

from pathlib import Path

from village.outbox.mail import compose
from village.outbox.models import Channel, Outcome
from village.outbox.providers import NO_PROVIDER, Held, Never, Taken
from village.settings import Settings


def folder(instance: Path) -> Path:
    """Where they lie."""
    return instance / "outbox"


class Console:
    """Writes mail as `<id>.eml` and short messages as `<id>.txt`."""

    def __init__(self, settings: Settings) -> None:
        self._folder = folder(settings.instance)

    def deliver(self, held: Held) -> Taken:
        """Write it down. Written twice, it is the same file."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if held.channel is Channel.MAIL:
            (self._folder / f"{held.id}.eml").write_bytes(compose(held, "Soi <soi@localhost.localdomain>"))
        else:
            (self._folder / f"{held.id}.txt").write_text(f"{held.to}\n\n{held.body}\n", "utf-8")
        return Taken(Outcome.CONSOLE, "")

    def close(self) -> None:
        """Nothing is open."""


class Nothing:
    """A real village that was given no provider: it must not look as if anybody had been told."""

    def deliver(self, held: Held) -> Taken:
        """Refuse it, so that the office sees it and sends it again once MAIL_URL or SMS_URL is set."""
        raise Never(NO_PROVIDER)

    def close(self) -> None:
        """Nothing is open."""


def forget(instance: Path, ids: list[str]) -> None:
    """Drop the files of these messages."""
    for message_id in ids:
        for suffix in ("eml", "txt"):
            (folder(instance) / f"{message_id}.{suffix}").unlink(missing_ok=True)
