"""Mail over SMTP (RFC 5321), always over TLS unless the server is this machine."""

import smtplib
import ssl
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from village.outbox.addresses import clean_mail
from village.outbox.models import Outcome
from village.outbox.providers import Held, Later, Never, Taken, without_address

SILENCE = 15
"""Seconds that the server may be silent between two of our sentences."""
LOCAL = frozenset(("localhost", "127.0.0.1", "::1"))
GOING_DOWN = 421
"""The server is about to close the connection (RFC 5321, 3.8)."""


def compose(held: Held, mail_from: str) -> bytes:
    """The mail as it goes over the wire. The same message gives the same bytes, however often it is tried."""
    name, sender = parseaddr(mail_from)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=sender)
    mail["To"] = Address(addr_spec=clean_mail(held.to))
    mail["Subject"] = held.subject
    mail["Date"] = held.made_at
    mail["Message-ID"] = f"<{held.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    mail.set_content(held.body, charset="utf-8", cte="quoted-printable")
    return mail.as_bytes()


class Smtp:
    """One server, one connection for as long as it holds."""

    def __init__(self, url: str, mail_from: str) -> None:
        self._url, self._from = urlsplit(url), mail_from
        self._sender = parseaddr(mail_from)[1]
        self._open: smtplib.SMTP | None = None

    def deliver(self, held: Held) -> Taken:
        """Hand one mail over. A connection that the server has closed since the last one is opened again."""
        reused = self._open is not None
        try:
            return self._hand_over(self._connected(), held)
        except smtplib.SMTPServerDisconnected as error:
            self.close()
            if not reused:
                raise Later("the connection was closed", everybody=True) from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise Later(type(error).__name__, everybody=True) from error
        return self.deliver(held)

    def _hand_over(self, server: smtplib.SMTP, held: Held) -> Taken:
        try:
            self._heard(held, server.mail(self._sender), ours=True)
            self._heard(held, server.rcpt(held.to))
            return Taken(Outcome.ACCEPTED, self._heard(held, self._sent(server, compose(held, self._from))))
        except (Later, Never):
            self._reset()
            raise

    def _sent(self, server: smtplib.SMTP, body: bytes) -> tuple[int, bytes]:
        try:
            return server.data(body)
        except smtplib.SMTPDataError as error:
            text = error.smtp_error
            return error.smtp_code, text if isinstance(text, bytes) else text.encode()
        except smtplib.SMTPServerDisconnected as error:
            # It may have the mail: not at once again, and then under the same Message-ID.
            self.close()
            raise Later("the connection was closed before it answered") from error

    def _heard(self, held: Held, answer: tuple[int, bytes], *, ours: bool = False) -> str:
        """The server's words when they are a yes. A no to our own name is no reason to give a buyer's mail up."""
        code, text = answer
        told = without_address(f"{code} {text.decode('utf-8', 'replace')}", held.to)
        if 200 <= code < 300:
            return told
        if ours or code < 500:
            raise Later(told, everybody=ours or code == GOING_DOWN)
        raise Never(told)

    def _connected(self) -> smtplib.SMTP:
        if self._open is not None:
            return self._open
        server: smtplib.SMTP | None = None
        try:
            server = self._connect()
            if self._url.username:
                server.login(unquote(self._url.username), unquote(self._url.password or ""))
        except (smtplib.SMTPException, OSError) as error:
            # Its own words may hold a user name; its kind and number say enough.
            if server is not None:
                server.close()
            code = getattr(error, "smtp_code", "")
            raise Later(f"{type(error).__name__} {code}".strip(), everybody=True) from error
        self._open = server
        return server

    def _connect(self) -> smtplib.SMTP:
        host = self._url.hostname or ""
        here = self._sender.rpartition("@")[2]
        if self._url.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, self._url.port or 465, here, timeout=SILENCE, context=context)
        server = smtplib.SMTP(host, self._url.port or 587, here, timeout=SILENCE)
        try:
            server.ehlo_or_helo_if_needed()
            if host not in LOCAL or server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
        return server

    def _reset(self) -> None:
        if self._open is None:
            return
        try:
            self._open.rset()
        except (smtplib.SMTPException, OSError):
            self.close()

    def close(self) -> None:
        """Say goodbye, if anybody is listening."""
        server, self._open = self._open, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()
