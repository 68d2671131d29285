"""Checks of EPCIS JSON-LD that recur, and the faults that they find, each with its place."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trace.epcis.vocabulary import CONTEXTS, NAMESPACES

MAX_DEPTH = 24
MAX_TEXT = 4096
MAX_ITEMS = 5000
"""Members and list items within one document's every object or list."""
MAX_FAULTS = 50

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)
_SCHEMES = frozenset(("http", "https", "urn"))

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where: `pointer` is a JSON Pointer into the document that was sent."""

    pointer: str
    slug: str
    detail: str


@dataclass
class Check:
    """Gathers faults, and knows the checks that recur."""

    outer: Mapping[str, str]
    found: list[Fault] = field(default_factory=list)

    def fault(self, pointer: str, slug: str, detail: str) -> None:
        """Note one, as far as there is room."""
        if len(self.found) < MAX_FAULTS:
            self.found.append(Fault(pointer, slug, detail))

    def told(self) -> tuple[Fault, ...]:
        """What was found."""
        return tuple(self.found)

    def record(self, told: Any, pointer: str) -> bool:
        """Whether it is an object; a fault where it is not."""
        if isinstance(told, dict):
            return True
        self.fault(pointer, "not-an-object", "an object belongs here")
        return False

    def shape(self, told: Any, pointer: str, depth: int) -> None:
        """Depth, breadth and length within bounds, whatever it means."""
        if depth > MAX_DEPTH:
            self.fault(pointer, "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(told, dict):
            if len(told) > MAX_ITEMS:
                self.fault(pointer, "too-many-members", f"more than {MAX_ITEMS} members in one object")
                return
            for name, value in told.items():
                if len(name) > MAX_TEXT:
                    self.fault(pointer, "too-long", f"a name longer than {MAX_TEXT} characters")
                else:
                    self.shape(value, f"{pointer}/{escaped(name)}", depth + 1)
        elif isinstance(told, list):
            if len(told) > MAX_ITEMS:
                self.fault(pointer, "too-many-items", f"more than {MAX_ITEMS} items in one list")
                return
            for at, value in enumerate(told):
                self.shape(value, f"{pointer}/{at}", depth + 1)
        elif isinstance(told, str) and (len(told) > MAX_TEXT or "\x00" in told):
            self.fault(pointer, "too-long", f"a text longer than {MAX_TEXT} characters, or with a NUL in it")

    def context(self, told: Record, pointer: str, *, required: bool) -> dict[str, str]:
        """The namespaces that hold within `told`, beside GS1's own."""
        found = dict(self.outer)
        context = told.get("@context")
        where = pointer + "/@context"
        items = context if isinstance(context, list) else [context]
        if context is None:
            items = []
        known = False
        for at, item in enumerate(items):
            place = f"{where}/{at}" if isinstance(context, list) else where
            if isinstance(item, str):
                known |= item in CONTEXTS
                if item not in CONTEXTS:
                    self.fault(place, "unknown-context", "only GS1's own EPCIS context is known; no other is fetched")
            elif isinstance(item, dict):
                self._namespaces(item, place, found)
            else:
                self.fault(place, "bad-context", "a context is an address or an object of namespaces")
        if required and not known:
            self.fault(where, "no-context", "GS1's EPCIS context is missing")
        return found

    def _namespaces(self, item: Record, pointer: str, found: dict[str, str]) -> None:
        for prefix, meaning in item.items():
            place = f"{pointer}/{escaped(prefix)}"
            if not _PREFIX.fullmatch(prefix) or prefix in _SCHEMES or prefix in _TAKEN:
                self.fault(place, "bad-prefix", "not a prefix for a namespace of one's own")
            elif not isinstance(meaning, str) or not URI.fullmatch(meaning):
                self.fault(place, "bad-namespace", "a prefix stands for an absolute address")
            else:
                found[prefix] = meaning

    def extension(self, name: str, pointer: str, namespaces: Mapping[str, str]) -> bool:
        """Whether a name is one of somebody's own namespace; a fault where its prefix was never declared."""
        prefix, colon, rest = name.partition(":")
        if not colon or not rest:
            return False
        if prefix not in namespaces and prefix not in NAMESPACES and not (prefix in _SCHEMES and len(rest) > 2):
            self.fault(pointer, "unknown-prefix", f"the prefix {prefix!r} is declared nowhere")
        return True

    def time(self, told: Any, pointer: str) -> dt.datetime | None:
        """A moment; None and a fault where it is none."""
        moment = moment_of(told)
        if moment is None:
            self.fault(pointer, "bad-time", "a time is written YYYY-MM-DDThh:mm:ss with its offset from UTC")
        return moment


_TAKEN = frozenset(
    (
        "action", "bizStep", "disposition", "readPoint", "bizLocation", "epcList", "quantityList", "ilmd", "epcisBody",
        "eventList", "type", "id", "parentID", "childEPCs", "inputEPCList", "outputEPCList", "transformationID",
        "sourceList", "destinationList", "sensorElementList", "eventID", "eventTime", "recordTime",
        "eventTimeZoneOffset", "errorDeclaration", "persistentDisposition", "bizTransactionList",
    )
)  # fmt: skip
"""Terms of GS1's own context that no prefix may bear."""


def moment_of(told: Any) -> dt.datetime | None:
    """A time as EPCIS writes it, to the microsecond; None for anything else."""
    if not isinstance(told, str) or not _TIME.fullmatch(told):
        return None
    try:
        # Python 3.11 reads any number of digits and leaves out those past the sixth.
        moment = dt.datetime.fromisoformat(told)
        moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return moment


def escaped(name: str) -> str:
    """A name as a part of a JSON Pointer."""
    return name.replace("~", "~0").replace("/", "~1")
