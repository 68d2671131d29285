"""How the resolver answers, whatever key it was asked about: grammar first, then page, linkset, another address or 404.

Source: GS1-Conformant Resolver Standard 1.2, sections 2.2, 2.4 and 2.6.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from babel.support import LazyProxy
from flask import Blueprint, Response, current_app, redirect, request

from trace.gs1.digital_link import check_query
from trace.gs1.errors import Gs1Error
from trace.scan import asked as asking
from trace.scan import linkset, services
from trace.scan.asked import Asked
from village.errors import Malformed, NotFound, SoiError
from village.i18n import GS1_PATHS
from village.i18n import lazy_gettext as _l
from village.web.problems import problem

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Expose-Headers": "Link, Location, ETag",
}
"""Everything here is public, and the same for whoever asks without cookies: a browser sends none along for `*`."""
_LINKSET = f'<{{}}?linkType=linkset>; rel="linkset"; type="{linkset.LINKSET}"; title="Links"'
REASONS = {
    "not-digits": _l("Mã GTIN chỉ gồm chữ số từ 0 đến 9."),
    "wrong-length": _l("Mã trên địa chỉ thiếu hoặc thừa chữ: GTIN viết đủ 14 số, mã lô từ 1 đến 20 chữ."),
    "wrong-check-digit": _l("Mã GTIN này sai số kiểm tra, chắc có một chữ số bị gõ nhầm."),
    "foreign-character": _l("Mã trên địa chỉ có ký tự không dùng được. Mã lô chỉ gồm chữ không dấu, số và dấu gạch."),
    "not-a-digital-link": _l("Địa chỉ này không phải mã GS1 đúng kiểu /01/GTIN/10/mã-lô."),
    "wrong-key-order": _l("Các phần của mã đứng sai thứ tự: phải là 01, 22, 10 rồi 21, mỗi phần một lần."),
}


class Addressed(Protocol):
    """A parsed Digital Link of any key."""

    @property
    def path(self) -> str:
        """Its address behind the host."""


AnyLink = TypeVar("AnyLink", bound=Addressed)


def resolved(
    parse: Callable[[str], AnyLink], answer: Callable[[AnyLink, Asked], Response], refusal: LazyProxy | None = None
) -> Response:
    """Read the address with `parse`, let `answer` do it, and tell where the linkset is.

    `refusal` is said of an address that breaks the rules; without it, what is said of a product's.
    """
    if request.method == "OPTIONS":
        return preflight()
    asked = asking.read(request.args.get("linkType"), request.headers.get("Accept", ""))
    link: AnyLink | None = None
    try:
        link = _parsed(parse, refusal)
        response = answer(link, asked)
    except SoiError as error:
        if asked.by_person:
            raise
        told = {key: value for key, value in error.details.items() if isinstance(value, (int, str, list))}
        response = problem(error.slug, str(error.title), error.status, str(error), told)
    if link is not None and response.status_code < 400:
        address = f"{current_app.extensions['soi'].public_url}{link.path}"
        response.headers.add("Link", _LINKSET.format(address))
        if response.mimetype == linkset.LINKSET:
            response.headers.add("Link", linkset.CONTEXT_LINK)
    return response


def init_app(pages: Blueprint) -> None:
    """Put on every answer of `pages`, refusals too, what a resolver's answers bear."""

    @pages.after_request
    def _bear(response: Response) -> Response:
        response.vary.update(("Accept", "Accept-Encoding", "Accept-Language", "Cookie"))
        response.headers.update(CORS)
        return response


def preflight() -> Response:
    """What a browser asks before a script of another site may: everything that we do, for a day."""
    headers = {
        "Allow": CORS["Access-Control-Allow-Methods"],
        "Access-Control-Allow-Headers": "Accept, Accept-Language, If-None-Match",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status=204, headers=headers)


def about(found: linkset.Document, asked: Asked) -> Response:
    """What was asked for besides the item itself: the linkset, or one kind of link."""
    return linkset_of(found, asked) if asked.listing else sent_on(found, asked)


def linkset_of(found: linkset.Document, asked: Asked) -> Response:
    """A linkset in the form asked for."""
    mimetype = asking.MIMETYPES.get(asked.form, asked.form)
    return Response(services.as_text(found, asked.form), content_type=content_type(mimetype))


def sent_on(found: linkset.Document, asked: Asked) -> Response:
    """To the link of the kind asked for that fits the asker best; NotFound, naming what there is, for none."""
    links = linkset.of_type(found, asked.link_type or "")
    if not links:
        raise NotFound(
            "no-such-link",
            _l("Ở đây không có thứ bác hỏi (linkType). Có: %(kinds)s."),
            kinds=", ".join(linkset.kinds(found)),
        )
    best = asking.choose(links, request.headers.get("Accept", ""), request.headers.get("Accept-Language", ""))
    # Without a host: we may be known by several names.
    target = str(best["href"]).removeprefix(current_app.extensions["soi"].public_url)
    query = asking.passed_on(request.query_string)
    return sent_to(target, asking.without_link_type(query) if target.startswith(GS1_PATHS) else query)


def sent_to(path: str, query: str | None = None) -> Response:
    """To another address of ours, with `query`, or else the one that the asker came with."""
    passed = asking.passed_on(request.query_string) if query is None else query
    return redirect(asking.onward(path, passed), 307)  # type: ignore[return-value]


def content_type(mimetype: str) -> str:
    """With its encoding where it has one."""
    return f"{mimetype}; charset=utf-8" if mimetype == linkset.HTML else mimetype


def _parsed(parse: Callable[[str], AnyLink], refusal: LazyProxy | None) -> AnyLink:
    path = _raw_path()
    try:
        check_query(asking.passed_on(request.query_string))
        # One slash at the end is tolerated, as section 2.13 asks.
        return parse(path.removesuffix("/"))
    except Gs1Error as error:
        reason = refusal or REASONS.get(error.slug, REASONS["not-a-digital-link"])
        raise Malformed(error.slug, reason, found=dict(error.params)) from error


def _raw_path() -> str:
    """The path as it came over the wire: escapes matter here, and WSGI's own path has lost them."""
    for name in ("RAW_URI", "REQUEST_URI"):
        uri = str(request.environ.get(name) or "")
        if uri:
            return uri.partition("?")[0] if uri.startswith("/") else urlsplit(uri).path
    return asking.escaped_path(request.path)
