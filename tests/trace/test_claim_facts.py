"""What a phone claims of the newer kinds of stages: three verifiers that share no code say the same of each."""

import copy
import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.oracles.hands import Oracle
from tests.support.proofs import SITE, gtin
from tests.support.verifiers import soi_verify
from trace.epcis import events as epcis
from trace.gs1.digital_link import class_uri
from trace.gs1.gtin import with_check_digit
from trace.ledger.claims import UnfitClaim, check_claim
from village import clock
from village.settings import ROOT

Record = dict[str, Any]
ID = "01a20177-80f4-7f46-8aa1-0c72942cfa3c"
WHEN = dt.datetime(2026, 11, 20, 6, 30, tzinfo=clock.VN)
PACK, STARCH = gtin(1), gtin(2)
LOT, ONE, TWO = (class_uri(PACK, "BL26M-7K3Q9"), class_uri(STARCH, "BL26M-AAAA4"), class_uri(STARCH, "BL26M-BBBB4"))
SSCC = with_check_digit("09506000000010007")
OTHER_SSCC = with_check_digit("09506000000010008")


def core(stage: str, **facts: str) -> epcis.Core:
    extra = {"soi:process": "mien-dong/2", "soi:stage": stage, **{f"soi:{name}": text for name, text in facts.items()}}
    return epcis.Core(UUID(ID), WHEN, read_point=SITE, extra=extra)


def claim(stage: str, **more: Any) -> Record:
    return {
        "id": ID, "process": "mien-dong", "stage": stage, "occurred_at": epcis.timestamp(WHEN), "site": SITE,
        "inputs": [], "outputs": [], "readings": [], **more,
    }  # fmt: skip


PACKS = [{"batch": LOT, "units": 12}]
KINDS: dict[str, tuple[Record, Record]] = {
    "buy": (
        claim("buy", outputs=[{"product": STARCH, "grams": 5000}], facts={"origin": "Na Rì"}),
        epcis.buy(core("buy", origin="Na Rì"), [epcis.grams(ONE, 5000)], epcis.Ilmd(lot="BL26M-AAAA4")),
    ),
    "lose": (
        claim("lose", inputs=[{"batch": ONE, "grams": 700}], facts={"reason": "rain"}),
        epcis.lose(core("lose", reason="rain"), [epcis.grams(ONE, 700)]),
    ),
    "split": (
        claim("split", inputs=[{"batch": ONE, "grams": 9}], outputs=[{"product": STARCH, "grams": n} for n in (4, 5)]),
        epcis.transform(core("split"), [epcis.grams(ONE, 9)], [epcis.grams(ONE + "X", 4), epcis.grams(TWO, 5)]),
    ),
    "case with its number": (
        claim("case", inputs=PACKS, facts={"sscc": SSCC}),
        epcis.put_in_case(core("case", sscc=SSCC), SSCC, [epcis.packs(LOT, 12)]),
    ),
    "case numbered by the ledger": (
        claim("case", inputs=PACKS),
        epcis.put_in_case(core("case", sscc=SSCC), SSCC, [epcis.packs(LOT, 12)]),
    ),
    "uncase by its number": (
        claim("uncase", facts={"sscc": SSCC}),
        epcis.take_out_of_case(core("uncase", sscc=SSCC), SSCC, [epcis.packs(LOT, 12)]),
    ),
    "dispatch of a whole case": (
        claim("dispatch", facts={"sscc": SSCC}),
        epcis.dispatch(core("dispatch", sscc=SSCC), [epcis.packs(LOT, 12)]),
    ),
}


def _fact(name: str, value: Any) -> Callable[[Record, Record], None]:
    return lambda told, _event: told.setdefault("facts", {}).update({name: value})


def _event(name: str, value: Any) -> Callable[[Record, Record], None]:
    return lambda _told, event: event.update({name: value})


def _claimed(name: str, value: Any) -> Callable[[Record, Record], None]:
    return lambda told, _event: told.update({name: value})


FORGED: list[tuple[str, str, Callable[[Record, Record], Any], str]] = [
    ("buy", "another origin", _event("soi:origin", "Bình Lư"), "facts"),
    ("buy", "no origin any more", lambda _told, event: event.pop("soi:origin"), "facts"),
    ("buy", "an origin that was not signed", lambda told, _event: told.pop("facts"), "facts"),
    ("buy", "facts that are a list", _claimed("facts", []), "facts"),
    ("buy", "facts that are a text", _claimed("facts", "origin"), "facts"),
    ("buy", "an origin that is a number", _fact("origin", 7), "facts"),
    ("buy", "more bought than signed", lambda _t, e: e["quantityList"][0].update({"quantity": 5001}), "outputs"),
    ("lose", "another reason", _event("soi:reason", "home"), "facts"),
    ("lose", "a fact that no event says", _fact("price", "5"), "facts"),
    ("lose", "a case that nobody signed for", _fact("sscc", SSCC), "facts"),
    ("lose", "less lost than signed", lambda _t, e: e["quantityList"][0].update({"quantity": 699}), "inputs"),
    ("split", "a reason in a split", _event("soi:reason", "rain"), "facts"),
    ("split", "a part left out", lambda _t, e: e["outputQuantityList"].pop(), "outputs"),
    ("case with its number", "another case", _event("soi:sscc", OTHER_SSCC), "facts"),
    ("case with its number", "another parent", _event("parentID", f"https://id.gs1.org/00/{OTHER_SSCC}"), "facts"),
    ("case with its number", "fewer packs", lambda _t, e: e["childQuantityList"][0].update({"quantity": 11}), "inputs"),
    ("case with its number", "packs that were not signed", _claimed("inputs", []), "inputs"),
    ("case numbered by the ledger", "no packs signed", _claimed("inputs", []), "inputs"),
    ("uncase by its number", "another case", _fact("sscc", OTHER_SSCC), "facts"),
    ("uncase by its number", "no case at all", lambda told, _event: told.pop("facts"), "inputs"),
    ("dispatch of a whole case", "another case", _event("soi:sscc", OTHER_SSCC), "facts"),
    ("dispatch of a whole case", "no case at all", lambda told, _event: told.pop("facts"), "inputs"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Oracle | None]:
    node = shutil.which("node")
    if node is None:
        yield None
        return
    with Oracle(node, str(ROOT / "tests" / "support" / "verifier.mjs")) as oracle:
        yield oracle


def said(told: Record, event: Record, browser: Oracle | None) -> set[str]:
    """The member at which each verifier refuses; empty where it does not."""
    record = {"event": event, "commitments": {}}
    found = set()
    try:
        check_claim(told, record)
        found.add("")
    except UnfitClaim as unfit:
        found.add(unfit.member)
    try:
        soi_verify.check_claim(told, record)
        found.add("")
    except soi_verify.Broken as broken:
        found.add(str(broken).rpartition(" ")[2])
    if browser is not None:
        answer = browser.ask("claim", claim=told, entry=record)
        found.add(answer["detail"]["member"] if answer.get("error") == "unfit-claim" else answer.get("error", ""))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_true_claim_of_each_kind_fits(kind: str, browser: Oracle | None) -> None:
    told, event = copy.deepcopy(KINDS[kind])
    assert said(told, event, browser) == {""}


@pytest.mark.parametrize(("kind", "what", "change", "member"), FORGED, ids=[f"{row[0]}: {row[1]}" for row in FORGED])
def test_every_verifier_refuses_at_the_same_member(
    kind: str, what: str, change: Callable[[Record, Record], Any], member: str, browser: Oracle | None
) -> None:
    told, event = copy.deepcopy(KINDS[kind])
    change(told, event)
    assert said(told, event, browser) == {member}, what
