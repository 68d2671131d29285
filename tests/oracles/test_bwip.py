"""npm's bwip-js prints GS1 Digital Links and refuses what is none: it and our parser are of one mind."""

import itertools
from urllib.parse import quote

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.oracles.hands import Oracle
from tests.support.village import gln, gtin
from trace.gs1.digital_link import (
    CANONICAL,
    DigitalLink,
    ParcelLink,
    PlaceLink,
    check_query,
    parse_parcel_path,
    parse_path,
    parse_place_path,
)
from trace.gs1.errors import Gs1Error
from trace.gs1.gtin import with_check_digit
from trace.gs1.lots import CHARSET_82
from trace.units.issuing import new_serial

AT_ONCE = 8
"""Addresses in one question: each costs it a few milliseconds, the asking next to none."""

many = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
gtins = st.integers(0, 10**13 - 1).map(lambda number: with_check_digit(f"{number:013d}"))
ssccs = st.integers(0, 10**17 - 1).map(lambda number: with_check_digit(f"{number:017d}"))
# The two names that browsers fold away are refused by us alone.
codes = st.text(sorted(CHARSET_82), min_size=1, max_size=20).filter(lambda code: code not in (".", ".."))
links = st.builds(DigitalLink, gtins, st.none() | codes, st.none() | codes, st.none() | codes)
anything = st.text(st.sampled_from([*sorted(CHARSET_82), "#", "^", "~", "[", "|", " ", "í", "麵", "\x7f"]), max_size=23)
values = anything.map(lambda text: quote(text, safe=""))
numbers = st.one_of(gtins, ssccs, st.text("0123456789x", min_size=1, max_size=19), st.just(gtin(1)), st.just(gln(1)))
keys = st.sampled_from(["22", "10", "21", "254", "235", "17", "lot", "1", "010"])
pairs = st.lists(st.tuples(keys, values), max_size=3)


def refused(path: str, query: str = "") -> str:
    """Why our parsers refuse an address; empty when one takes it."""
    reasons = []
    for parse in (parse_path, parse_parcel_path, parse_place_path):
        try:
            parse(path)
            check_query(query)
            return ""
        except Gs1Error as error:
            reasons.append(f"{error.slug}: {error}")
    return "; ".join(reasons)


def ask(bwip: Oracle, uris: list[str]) -> list[str]:
    answer = bwip.ask("judge", uris=uris)
    refusals: list[str] = answer["refusals"]
    return refusals


@many
@given(st.lists(links, min_size=1, max_size=AT_ONCE), ssccs, st.none() | codes)
def test_every_address_that_we_print_is_taken(
    bwip: Oracle, found: list[DigitalLink], sscc: str, extension: str | None
) -> None:
    paths = [link.path for link in found] + [ParcelLink(sscc).path, PlaceLink(gln(1), extension).path]
    hosts = itertools.cycle((CANONICAL, "http://127.0.0.1:8000", "https://soi.example.vn"))
    uris = [f"{host}{path}" for host, path in zip(hosts, paths, strict=False)]
    assert dict(zip(uris, ask(bwip, uris), strict=True)) == dict.fromkeys(uris, "")


@many
@example([("01", gtin(1), [("10", "A"), ("10", "A")]), ("01", gtin(1), [("21", "A"), ("10", "B")])])
@example([("gtin", gtin(1), []), ("414", gln(1), [("254", "A")]), ("00", gln(1), [])])
@given(st.lists(st.tuples(st.sampled_from(["01", "00", "414", "gtin"]), numbers, pairs), min_size=1, max_size=AT_ONCE))
def test_what_it_refuses_we_refuse_and_what_we_refuse_it_refuses(
    bwip: Oracle, drawn: list[tuple[str, str, list[tuple[str, str]]]]
) -> None:
    paths = ["/".join(["", key, number, *(part for pair in found for part in pair)]) for key, number, found in drawn]
    theirs = ask(bwip, [f"{CANONICAL}{path}" for path in paths])
    for path, reason in zip(paths, theirs, strict=True):
        ours = refused(path)
        if reason:
            assert ours, f"{path}: {reason}"
        elif not _ours_alone(path):
            assert not ours, f"{path}: {ours}"


def _ours_alone(path: str) -> bool:
    """Addresses that bwip-js takes and a resolver need not.

    GTINs with fewer digits than 14, which the standard leaves to old labels; names that browsers fold away; and keys
    that we have no use for: 235, a third party's serial number.
    """
    parts = path.split("/")
    return (parts[1] == "01" and len(parts[2]) != 14) or any(part in (".", "..") for part in parts) or "235" in parts


@many
@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["11", "13", "15", "17"]), st.text("0123456789", min_size=5, max_size=7)),
            st.tuples(st.just("3103"), st.text("0123456789x", min_size=5, max_size=7)),
            st.tuples(st.sampled_from(["01", "10", "21", "22", "utm", "linkType", "99"]), st.just("B")),
        ),
        max_size=2,
        unique_by=lambda pair: pair[0],
    )
)
def test_it_and_we_read_what_stands_behind_the_question_mark_alike(bwip: Oracle, drawn: list[tuple[str, str]]) -> None:
    query = "&".join(f"{key}={value}" for key, value in drawn)
    path = f"/01/{gtin(1)}/10/A"
    (theirs,) = ask(bwip, [f"{CANONICAL}{path}?{query}" if query else f"{CANONICAL}{path}"])
    assert bool(theirs) == bool(refused(path, query)), (query, theirs, refused(path, query))


def test_the_addresses_of_a_run_of_labels_are_taken(bwip: Oracle) -> None:
    uris = [DigitalLink(gtin(1), "BL26M-7K3Q9", new_serial()).under("https://soi.example.vn") for _ in range(AT_ONCE)]
    assert ask(bwip, uris) == [""] * AT_ONCE
