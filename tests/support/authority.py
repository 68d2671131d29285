"""A time-stamp authority for tests: certificates made here, tokens by `openssl ts`, and a server with moods."""

import datetime as dt
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DER = serialization.Encoding.DER
CONFIG = """
[tsa]
default_tsa = it
[it]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
"""


@dataclass(frozen=True)
class Authority:
    """An authority in `folder`: `root.pem` is its root."""

    folder: Path

    @property
    def root(self) -> Path:
        """The PEM file that TSA_CA names."""
        return self.folder / "root.pem"

    def stamp(self, request: bytes) -> bytes:
        """The DER answer to a DER request."""
        asked, answered = self.folder / "ask.tsq", self.folder / "answer.tsr"
        asked.write_bytes(request)
        subprocess.run(
            ["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", asked, "-out", answered],
            check=True, capture_output=True,
        )  # fmt: skip
        return answered.read_bytes()

    def verifies(self, token: bytes, data: bytes) -> bool:
        """What a stranger's `openssl ts -verify` says of `token` over `data`."""
        (self.folder / "token.tsr").write_bytes(token)
        (self.folder / "data").write_bytes(data)
        told = subprocess.run(
            ["openssl", "ts", "-verify", "-data", "data", "-in", "token.tsr", "-CAfile", "root.pem"],
            cwd=self.folder, capture_output=True, text=True,
        )  # fmt: skip
        return told.returncode == 0 and "Verification: OK" in told.stdout


def make_authority(folder: Path, *, days: tuple[int, int] = (-1, 365)) -> Authority:
    """A root and a signer of its own; `days`: from when until when the signer is good, counted from today.

    Beside the signer's certificate lies `server.pem`: the same, and just as long, but for a web server.
    """
    folder.mkdir(parents=True)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _name("Gốc thử"), _name("Đóng dấu giờ thử")
    now = dt.datetime.now(dt.UTC)
    root = (
        _certificate(root_name, root_name, root_key.public_key(), now, (-400, 4000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    body = (
        _certificate(name, root_name, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
    )
    stamps, serves = (
        body.add_extension(x509.ExtendedKeyUsage([use]), critical=True)
        for use in (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH)
    )
    signer = stamps.sign(root_key, hashes.SHA256())
    while len((server := serves.sign(root_key, hashes.SHA256())).public_bytes(DER)) != len(signer.public_bytes(DER)):
        pass  # signatures are a byte longer or shorter, as it comes
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.pem").write_bytes(signer.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    (folder / "tsa.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    return Authority(folder)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: dt.datetime, days: tuple[int, int]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
    )


Answer = Callable[[bytes], tuple[int, bytes]]
"""What a mood answers a request's body with: status and body."""


@dataclass
class Desk:
    """The authority's counter, with its mood of the moment: what it answers, after how many seconds of silence, and how
    long it waits after each byte. `asked` are the requests that came."""

    url: str
    answer: Answer
    pause: float = 0.0
    drip: float = 0.0
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def desk(answer: Answer) -> Iterator[Desk]:
    """An HTTP server that answers time-stamp requests in the mood of `Desk.answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.asked.append(body)
            status, told = made.answer(body)
            time.sleep(made.pause)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(told)))
            if status in (301, 302, 307, 308):
                self.send_header("Location", made.url + "elsewhere")
            self.end_headers()
            with suppress(ConnectionError):
                for piece in [told[at : at + 1] for at in range(len(told))] if made.drip else [told]:
                    self.wfile.write(piece)
                    time.sleep(made.drip)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Desk(f"http://127.0.0.1:{server.server_port}/tsr", answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
