"""A post office for tests: a mail server and a gateway for short messages, both with a memory and with moods."""

import datetime as dt
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "AHRob25nAG1hdA=="
"""AUTH PLAIN of user `thong` with password `mat`."""


@dataclass
class MailServer:
    """An SMTP server. `says` answers a command in place of the server: (verb, line) to an answer, or None; `tls` makes
    it offer STARTTLS, `at_once` speak TLS from the first byte."""

    says: Callable[[str, str], str | None] = lambda verb, line: None
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    """Every mail that was taken, as it came."""
    to: list[str] = field(default_factory=list)
    connections: int = 0
    encrypted: int = 0
    hold: threading.Event = field(default_factory=threading.Event)
    """While it is clear, the answer to a mail is not given; set from the start."""
    arrived: threading.Event = field(default_factory=threading.Event)

    @property
    def mails(self) -> list[EmailMessage]:
        """What was taken, read."""
        return [BytesParser(policy=policy.default).parsebytes(one) for one in self.raw]

    def url(self, scheme: str = "smtp", who: str = "") -> str:
        """Its address as MAIL_URL has it."""
        return f"{scheme}://{who}localhost:{self.port}"


class _Talk(socketserver.StreamRequestHandler):
    server: "_Listening"

    def handle(self) -> None:
        """One client from its first word to its last."""
        with suppress(OSError):
            self._talk()

    def _talk(self) -> None:
        office = self.server.office
        office.connections += 1
        if office.at_once:
            self._encrypt()
        self._say(office.says("", "") or "220 here")
        to, offered = "", office.tls is not None and not office.at_once
        while line := self.rfile.readline(2048).decode("utf-8", "replace").strip():
            verb = line.partition(" ")[0].upper()
            answer = office.says(verb, line)
            if answer == "hang up":
                return
            if verb == "EHLO" and answer is None:
                answer = "250-here\r\n250-STARTTLS\r\n250 AUTH PLAIN" if offered else "250-here\r\n250 AUTH PLAIN"
            elif verb == "STARTTLS" and offered and answer is None:
                self._say("220 go on")
                self._encrypt()
                offered = False
                continue
            elif verb == "AUTH" and answer is None:
                answer = "235 welcome" if line.endswith(PASSWORD) else "535 who are you, thong?"
            elif verb == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
            elif verb == "DATA" and answer is None:
                self._say("354 go on")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += self.rfile.readline()
                office.raw.append(body[:-3].replace(b"\r\n..", b"\r\n."))
                office.to.append(to)
                office.arrived.set()
                office.hold.wait(20)
                answer = office.says(".", "") or f"250 2.0.0 <{to}> queued as 4711"
                if answer == "hang up":
                    return
            elif verb == "QUIT":
                self._say("221 bye")
                return
            self._say(answer or "250 fine")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _encrypt(self) -> None:
        office = self.server.office
        assert office.tls is not None
        self.connection: socket.socket = office.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)  # type: ignore[assignment]
        office.encrypted += 1


class _Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    office: MailServer


@contextmanager
def mail_server(office: MailServer) -> Iterator[MailServer]:
    """The server at work for the length of the block."""
    office.hold.set()
    with _Listening(("127.0.0.1", 0), _Talk) as server:
        server.office, office.port = office, server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield office
        finally:
            office.hold.set()
            server.shutdown()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for localhost that nobody but its own file vouches for: the server's side, and that file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    path, secret = folder / "mail.pem", folder / "mail.key"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return context, path


@dataclass
class Gateway:
    """A gateway for short messages. It sends each idempotency key once, whatever it answers. `answers` are given one
    after the other, (status, seconds to wait first); when they are used up, 202."""

    answers: list[tuple[int, float]] = field(default_factory=list)
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """The key of every request."""
    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By key: to whom, and what."""
    authorized: set[str] = field(default_factory=set)
    retry_after: str = ""
    body: bytes = b""
    """What it answers in place of its usual words."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/send?account=7"


class _Desk(BaseHTTPRequestHandler):
    server: "_Desks"

    def do_POST(self) -> None:
        """Take one."""
        gateway = self.server.gateway
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = str(self.headers["Idempotency-Key"])
        gateway.asked.append(key)
        gateway.authorized.add(str(self.headers["Authorization"]))
        status, wait = gateway.answers.pop(0) if gateway.answers else (202, 0.0)
        if status < 300 or wait:
            gateway.sent.setdefault(key, (told["to"], told["text"]))
        time.sleep(wait)
        body = gateway.body or json.dumps({"status": "queued", "to": told["to"]}).encode()
        with suppress(OSError):
            self.send_response(status)
            if gateway.retry_after:
                self.send_header("Retry-After", gateway.retry_after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Desks(ThreadingHTTPServer):
    daemon_threads = True
    gateway: Gateway


@contextmanager
def sms_gateway(gateway: Gateway) -> Iterator[Gateway]:
    """The gateway at work for the length of the block."""
    with _Desks(("127.0.0.1", 0), _Desk) as server:
        server.gateway, gateway.port = gateway, server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield gateway
        finally:
            server.shutdown()
