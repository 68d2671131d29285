"""Which logs and witnesses a verifier asks for (c2sp.org/tlog-policy).

Reading is strict: a policy that was misread would be taken for a promise. Every error names its line.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from trace.ledger.encoding import from_decimal, shown
from trace.ledger.errors import LedgerFormatError, MalformedKey
from trace.ledger.note import COSIGNATURE, ED25519, Verifier

NONE = "none"
"""The quorum that asks for no witness at all."""

MAX_POLICY_BYTES = 64 * 1024
MOST = 100
"""Logs, witnesses and groups that a policy may have, each."""


class MalformedPolicy(LedgerFormatError):
    """Not a policy. `line` counts from 1; 0 where it is the file as a whole."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}" if line else what)
        self.line = line


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose checkpoints are accepted."""

    key: Verifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness under the name that groups and the quorum use for it."""

    name: str
    key: Verifier
    url: str = ""
    """Where checkpoints are sent, without a slash at the end; empty when the policy does not say."""


@dataclass(frozen=True, slots=True)
class Group:
    """It has witnessed a checkpoint when at least `threshold` of its members have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is asked of a checkpoint: one of the logs signed it, and the quorum has witnessed it."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    """In an order in which each names only what stands before it."""
    quorum: str = NONE

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """All keys, as `open_checkpoint` takes them."""
        return (*(log.key for log in self.logs), *(one.key for one in self.witnesses))

    def format(self) -> str:
        """The policy file, in one way of writing it."""
        lines = [_line("log", log.key.vkey, log.url) for log in self.logs]
        lines += [_line("witness", one.name, one.key.vkey, one.url) for one in self.witnesses]
        lines += [_line("group", group.name, str(group.threshold), *group.members) for group in self.groups]
        return "".join([*lines, _line("quorum", self.quorum)])

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy file. Raises MalformedPolicy, and nothing else."""
        found = _Reading()
        for number, line in enumerate(_lines(data), start=1):
            words = [word for word in line.replace("\t", " ").split(" ") if word]
            if words and not words[0].startswith("#"):
                found.number = number
                found.read(words[0], words[1:])
        if found.quorum is None:
            raise MalformedPolicy(0, "there is no quorum line; without witnesses it is: quorum none")
        return cls(tuple(found.logs), tuple(found.witnesses), tuple(found.groups), found.quorum)


def satisfied(policy: Policy, keys: Iterable[bytes]) -> bool:
    """Whether the quorum has witnessed a checkpoint that these public keys have cosigned, and rightly so."""
    cosigned = frozenset(keys)
    witnessed = {NONE} | {one.name for one in policy.witnesses if one.key.public_key in cosigned}
    for group in policy.groups:
        if sum(member in witnessed for member in group.members) >= group.threshold:
            witnessed.add(group.name)
    return policy.quorum in witnessed


@dataclass
class _Reading:
    """What the lines so far have said."""

    number: int = 0
    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=lambda: {NONE})
    members: set[str] = field(default_factory=set)

    def read(self, word: str, rest: list[str]) -> None:
        """One line."""
        kinds: dict[str, Callable[[list[str]], None]] = {
            "log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum,
        }
        if word not in kinds:
            raise self._bad(f"{shown(word)} is none of log, witness, group, quorum")
        kinds[word](rest)
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > MOST:
            raise self._bad(f"more than {MOST} logs, witnesses or groups")

    def _log(self, rest: list[str]) -> None:
        if len(rest) not in (1, 2):
            raise self._bad("a log's line is: log <vkey> [<url>]")
        key = self._key(rest[0], ED25519, "a log's key")
        if any(key.public_key == log.key.public_key for log in self.logs):
            raise self._bad(f"the key of log {shown(key.name)} stands here twice")
        self.logs.append(Log(key, *rest[1:]))

    def _witness(self, rest: list[str]) -> None:
        if len(rest) not in (2, 3):
            raise self._bad("a witness's line is: witness <name> <vkey> [<url>]")
        key = self._key(rest[1], COSIGNATURE, "a witness's key")
        if any(key.public_key == one.key.public_key for one in self.witnesses):
            raise self._bad(f"the key of witness {shown(key.name)} stands here twice")
        url = rest[2].rstrip("/") if len(rest) == 3 else ""
        if len(rest) == 3 and not _is_http(url):
            raise self._bad(f"a witness's address starts with http:// or https://, not {shown(rest[2])}")
        self.witnesses.append(Witness(self._name(rest[0]), key, url))

    def _group(self, rest: list[str]) -> None:
        if len(rest) < 3:
            raise self._bad("a group's line is: group <name> <all, any or a number> <member> …")
        members = tuple(rest[2:])
        for member in members:
            if member == NONE or member not in self.names:
                raise self._bad(f"no witness or group before this line is called {shown(member)}")
            if member in self.members:
                raise self._bad(f"{shown(member)} is a member already")
            self.members.add(member)
        threshold = {"all": len(members), "any": 1}.get(rest[1], from_decimal(rest[1]))
        if threshold is None or not 1 <= threshold <= len(members):
            raise self._bad(f"of {len(members)} members, {shown(rest[1])} cannot be asked for")
        self.groups.append(Group(self._name(rest[0]), threshold, members))

    def _quorum(self, rest: list[str]) -> None:
        if len(rest) != 1:
            raise self._bad("the quorum's line is: quorum <name>")
        if self.quorum is not None:
            raise self._bad("a second quorum line")
        if rest[0] not in self.names:
            raise self._bad(f"no witness or group before this line is called {shown(rest[0])}")
        self.quorum = rest[0]

    def _name(self, name: str) -> str:
        if name in self.names:
            raise self._bad(f"the name {shown(name)} is taken")
        self.names.add(name)
        return name

    def _key(self, vkey: str, type: int, whose: str) -> Verifier:
        try:
            key = Verifier.parse(vkey)
        except MalformedKey as error:
            raise self._bad(str(error)) from error
        if key.type != type:
            raise self._bad(f"{whose} has type 0x{type:02x}, not 0x{key.type:02x}")
        return key

    def _bad(self, what: str) -> MalformedPolicy:
        return MalformedPolicy(self.number, what)


def _lines(data: bytes) -> list[str]:
    """The lines of the file. Names are opaque octets: what is no UTF-8 stays as it is, and is told apart."""
    if len(data) > MAX_POLICY_BYTES:
        raise MalformedPolicy(0, f"the policy is longer than {MAX_POLICY_BYTES} bytes")
    lines = data.split(b"\n")
    if lines.pop():
        raise MalformedPolicy(len(lines) + 1, "the last line has no newline")
    for number, line in enumerate(lines, start=1):
        odd = next((octet for octet in line if (octet < 0x20 and octet != 0x09) or octet == 0x7F), None)
        if odd is not None:
            raise MalformedPolicy(number, f"control character 0x{odd:02x}")
    return [line.decode("utf-8", "surrogateescape") for line in lines]


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or "@" in parts.netloc or parts.port == 0)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and plain
    except ValueError:
        return False


def _line(*words: str) -> str:
    return " ".join(word for word in words if word) + "\n"
