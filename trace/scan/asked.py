"""What a request asks of the resolver: which kind of link, in which form, and what goes along where it is sent on.

Source: GS1-Conformant Resolver Standard 1.2, sections 2.6, 2.10 and 2.12; RFC 9110, section 12.5.1.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from trace.scan.linkset import GS1, HTML, JSON_LD, LINKSET, Document
from village.i18n import lookup

EVERYTHING = "linkset"
"""The keyword for all there is; `all` is its older name."""
LINKSET_LD = "linkset as json-ld"
LINKSET_PAGE = "linkset as a page"
FORMS = (HTML, JSON_LD, LINKSET, "application/json")
SETS = {LINKSET: LINKSET, "application/json": LINKSET, JSON_LD: LINKSET_LD, HTML: LINKSET_PAGE}
MIMETYPES = {LINKSET_LD: JSON_LD, LINKSET_PAGE: HTML}
"""Of those forms whose name is not their type."""
PAGES = frozenset((HTML, LINKSET_PAGE))

_PREFIXES = (GS1, "https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "gs1:")
_WORD = re.compile(r"[A-Za-z]{1,60}")
_OWN = frozenset((None, f"{GS1}defaultLink", f"{GS1}defaultLinkMulti"))
STORY = frozenset((f"{GS1}epcis", f"{GS1}traceability"))
"""Kinds that a lot answers itself, in the form that is asked for."""
_UNSENT = re.compile(rb"[^A-Za-z0-9\-._~%!$&'()*+,;=:@/?]")


@dataclass(frozen=True)
class Asked:
    """`link_type`: a whole address of a kind of link, `linkset`, or None for the default; `form` of the answer."""

    link_type: str | None
    form: str

    @property
    def default(self) -> bool:
        """True where the item itself is asked for, not something about it."""
        return self.link_type in _OWN

    @property
    def one_kind(self) -> bool:
        """True where one kind of link is asked for that is not answered here."""
        return self.link_type not in (_OWN | STORY | {EVERYTHING})

    @property
    def listing(self) -> bool:
        """True where the answer lists what there is."""
        return self.link_type == EVERYTHING or (self.default and self.form == LINKSET)

    @property
    def by_person(self) -> bool:
        """True where the answer is a page."""
        return self.form in PAGES


def read(link_type: str | None, accept: str) -> Asked:
    """What the query's `linkType` and the header `Accept` ask for."""
    kind = None if link_type is None else EVERYTHING if link_type in (EVERYTHING, "all") else whole(link_type)
    if kind == EVERYTHING:
        return Asked(kind, SETS[_best(accept, tuple(SETS), LINKSET)])
    if kind == f"{GS1}epcis":
        return Asked(kind, JSON_LD)
    if kind == f"{GS1}traceability":
        return Asked(kind, _best(accept, (JSON_LD, HTML), JSON_LD))
    if kind not in _OWN:
        return Asked(kind, HTML if HTML in accept else LINKSET)
    best = HTML if _plain(accept) else _best(accept, FORMS, HTML)
    return Asked(kind, LINKSET if best == "application/json" else best)


def whole(link_type: str) -> str:
    """`gs1:pip` and the vocabulary's older addresses as its address of today; what is none of GS1's, as it is."""
    for prefix in _PREFIXES:
        word = link_type.removeprefix(prefix)
        if word != link_type and _WORD.fullmatch(word):
            return GS1 + word
    return link_type


def _plain(accept: str) -> bool:
    """True for every browser and bare tool, without a parser's work."""
    return "application/" not in accept or accept.startswith(f"{HTML},")


def _best(accept: str, forms: Sequence[str], default: str) -> str:
    return str(parse_accept_header(accept, MIMEAccept).best_match(forms, default))


def choose(links: Sequence[Document], accept: str, accept_language: str) -> Document:
    """The best of several links of one kind: by type, then by language; the first where nothing decides."""
    best = _best(accept, tuple({str(one["type"]): None for one in links}), str(links[0]["type"]))
    fitting = [one for one in links if one["type"] == best]
    spoken = tuple(language for one in fitting for language in one.get("hreflang", ()))
    language = lookup(accept_language, spoken)
    return next((one for one in fitting if language in one.get("hreflang", ())), fitting[0])


def passed_on(query: bytes) -> str:
    """The query as it came, but for octets that may not stand in an address: nothing of it can end a header line."""
    return _UNSENT.sub(lambda found: f"%{found[0][0]:02X}".encode(), query).decode("ascii")


def onward(target: str, query: str) -> str:
    """The target with all of the query that the asker came with."""
    parts = urlsplit(target)
    return parts._replace(query="&".join(part for part in (parts.query, query) if part)).geturl()


def without_link_type(query: str) -> str:
    """The query less its `linkType`: it was answered, and an address of the resolver would be asked it without end."""
    return "&".join(pair for pair in query.split("&") if not _is_link_type(pair))


def _is_link_type(pair: str) -> bool:
    return any(key == "linkType" for key, _ in parse_qsl(pair, keep_blank_values=True))


def escaped_path(path: str) -> str:
    """A decoded path as it goes over the wire."""
    return quote(path, safe="/!$&'()*+,;=:@~")
