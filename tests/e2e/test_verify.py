"""The verifier in a reader's own browser: true papers turn green, forged ones red, with and without a network."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from tests.e2e.conftest import DESK, PHONE, STICKS_OUT
from tests.support.forgeries import FORGERIES, forged_receipts, fresh
from tests.support.proofs import Log, Story, document
from tests.support.serving import Served
from tests.support.village import Village
from trace.gs1.digital_link import DigitalLink
from trace.ledger import keys, rotation, store
from trace.ledger.checkpoint import Checkpoint
from trace.ledger.merkle import leaf_hash
from trace.ledger.note import parse_note, sign_note
from trace.lots.models import Batch
from trace.recalls import services as recalls
from village.db import db
from village.ids import uuid7

pytestmark = [pytest.mark.browser]

STEPS = [
    "keys", "form", "checkpoint", "witnesses", "inclusion", "signatures", "chain", "ancestry", "freshness",
    "consistency",
]  # fmt: skip
NO_NETWORK = re.compile(r"ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|404|error occurred when fetching the script")


@dataclass
class Reader:
    """A browser of its own, on the page /verify or on a pack's."""

    context: BrowserContext
    page: Page
    errors: list[str]
    folder: Path

    def open(self) -> None:
        """The page /verify, ready to check."""
        self.page.goto("/verify")
        expect(self.page.locator("#verify")).to_be_visible()

    def give(self, made: bytes | str, name: str = "giay.soi-proof") -> str:
        """Choose a file; what came of it."""
        path = self.folder / name
        path.write_bytes(made.encode() if isinstance(made, str) else made)
        self.page.evaluate("delete document.getElementById('result').dataset.verdict")
        self.page.locator("#file").set_input_files([])
        self.page.locator("#file").set_input_files(path)
        return self.verdict()

    def paste(self, text: str) -> str:
        """Paste a link or a text; what came of it."""
        self.page.evaluate("delete document.getElementById('result').dataset.verdict")
        self.page.locator("#text").fill(text)
        self.page.get_by_role("button", name="Kiểm", exact=True).click()
        return self.verdict()

    def trust(self, told: Story | Log) -> None:
        """Check by these keys and this policy, not by the site's."""
        log = told.log if isinstance(told, Story) else told
        self.page.locator("#own").evaluate("(own, text) => { own.value = text; }", log.policy())

    def verdict(self) -> str:
        """whole, cut or unknown."""
        self.page.wait_for_selector("#result[data-verdict]")
        return str(self.page.locator("#result").get_attribute("data-verdict"))

    def steps(self, place: str = "#result") -> dict[str, tuple[str, str]]:
        """Each step's state (whole, cut, doubt) and reason."""
        found: list[list[str]] = self.page.locator(f"{place} .knot").evaluate_all(
            "all => all.map(one => [one.dataset.step, one.dataset.state, one.dataset.reason])"
        )
        return {step: (state, reason) for step, state, reason in found}

    def cut(self) -> tuple[str, str]:
        """Where the strand is cut, and why."""
        ((step, reason),) = [(step, reason) for step, (state, reason) in self.steps().items() if state == "cut"]
        return step, reason

    def remembers(self, name: str) -> Any:
        """What it kept under this name."""
        return json.loads(self.page.evaluate("name => localStorage.getItem(name)", f"soi.{name}") or "null")

    def remember(self, name: str, value: Any) -> None:
        """Put something into its memory."""
        self.page.evaluate("([name, value]) => localStorage.setItem(name, value)", [f"soi.{name}", json.dumps(value)])


Opened = Callable[..., Reader]


@pytest.fixture
def reader(chromium: Browser, served: Served, tmp_path: Path) -> Iterator[Opened]:
    """Opens browsers that know nothing yet. Fails on any error in their console but that of a cut network."""
    opened: list[Reader] = []

    def open_reader(size: dict[str, int] = PHONE, **more: Any) -> Reader:
        context = chromium.new_context(viewport=size, base_url=served.url, locale="vi-VN", **more)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        found = Reader(context, context.new_page(), [], tmp_path)
        found.page.on("console", lambda m: found.errors.append(m.text) if m.type == "error" else None)
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        opened.append(found)
        return found

    yield open_reader
    for one in opened:
        one.context.close()
        assert [text for text in one.errors if not NO_NETWORK.search(text)] == []


@pytest.fixture
def lot(village: Village) -> DigitalLink:
    batch = village.batch(village.packs(40))
    return DigitalLink(batch.gtin, batch.lot)


def proof_path(lot: DigitalLink) -> str:
    return f"/ledger/lots/{lot.gtin}/{lot.lot}/proof"


def signed(size: int, history: bytes) -> str:
    """A checkpoint with this root that the log's own key signed."""
    state = store.ensure_born()
    own = keys.load(state.origin, (state.vkey,), state.custodian_vkey).ledger
    return sign_note(Checkpoint(state.origin, size, leaf_hash(history)).format(), *own).format()


def test_a_true_lot_turns_green_by_its_link(reader: Opened, lot: DigitalLink, served: Served) -> None:
    one = reader()
    one.open()
    assert one.paste(served.url + lot.path) == "whole"
    steps = one.steps()
    assert list(steps) == STEPS
    assert {step for step, (state, _) in steps.items() if state == "doubt"} == {"witnesses", "consistency"}
    assert steps["keys"] == ("whole", "first-seen")
    assert steps["freshness"] == ("whole", "newest")
    expect(one.page.locator("#result h2").first).to_contain_text("Sợi còn nguyên")
    expect(one.page.locator("#result .facts")).to_contain_text(lot.canonical)
    # Once more: now it remembers.
    one.open()
    assert one.paste(lot.path) == "whole"
    assert one.steps()["keys"] == ("whole", "remembered")
    assert one.steps()["consistency"] == ("whole", "continues")
    assert one.page.evaluate(STICKS_OUT) == []


def test_true_papers_turn_green_as_files_and_as_text(reader: Opened, lot: DigitalLink) -> None:
    one = reader(size=DESK)
    one.open()
    proof = one.page.evaluate("path => fetch(path).then(answer => answer.text())", proof_path(lot))
    receipt = one.page.evaluate("fetch('/ledger/entries/1/receipt').then(answer => answer.text())")
    assert one.give(proof) == "whole"
    assert one.give(receipt, "soi-1.tlog-proof") == "whole"
    assert one.steps()["signatures"] == ("doubt", "receipt-alone")
    assert one.paste(receipt) == "whole"
    assert one.paste("/ledger/entries/1") == "whole"
    assert one.paste("/ledger/lines/1") == "whole"
    assert one.paste(lot.canonical) == "whole"


def test_what_is_no_paper_of_ours_is_refused_in_plain_words(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.open()
    assert one.paste("xin chào") == "cut"
    assert one.cut() == ("form", "not-json")
    assert one.paste("https://example.org/01/09506000001203/10/L1") == "cut"
    assert one.paste("/01/09506000001203/10/KHONG-CO") == "cut"
    assert one.cut() == ("form", "server-has-none")
    assert one.give(b"\xff\xfe\x00") == "cut"
    assert one.cut() == ("form", "not-utf8")
    assert one.give(b"[" * (8 * 1024 * 1024 + 1)) == "cut"
    assert one.cut() == ("form", "too-large")
    # As much as is read at all, made to be slow.
    assert one.give(b"[" + b'{"a":[0]},' * 750_000 + b"0]") == "cut"
    assert one.cut() == ("form", "too-many-parts")
    assert one.give(b'"' + b"\\n" * 4_000_000 + b'"') == "cut"
    assert one.cut() == ("form", "not-a-lot-proof")


@pytest.mark.parametrize("network", [True, False], ids=["on line", "with the network cut"])
def test_every_forgery_turns_red_at_its_step(reader: Opened, network: bool) -> None:
    one = reader()
    one.open()
    if not network:
        one.context.set_offline(True)
    told = fresh()
    one.trust(told)
    assert one.give(document(told.log.lot_proof(told.lot))) == "whole"
    assert one.give(told.log.receipt(told.pack)) == "whole"
    for forgery in (*FORGERIES, *forged_receipts(told)):
        assert one.give(forgery.make(fresh())) == "cut", forgery.name
        assert one.cut()[0] == forgery.step, forgery.name
        assert one.cut()[1] in (forgery.reason, "bad-receipt"), forgery.name
        told_why = one.page.locator(".knot[data-state=cut] .why")
        assert len(told_why.inner_text()) > 10
        assert "%(" not in told_why.inner_text()
        assert one.page.evaluate(STICKS_OUT) == [], forgery.name


def test_opened_once_it_works_for_ever_without_a_network(reader: Opened, lot: DigitalLink, served: Served) -> None:
    one = reader()
    one.open()
    one.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    one.page.wait_for_function("navigator.serviceWorker.controller !== null")
    proof = one.page.evaluate("path => fetch(path).then(answer => answer.text())", proof_path(lot))
    receipt = one.page.evaluate("fetch('/ledger/entries/2/receipt').then(answer => answer.text())")
    served.stop()
    one.context.set_offline(True)
    one.page.reload()
    expect(one.page.locator("#verify")).to_be_visible()
    assert one.give(proof) == "whole"
    assert one.steps()["freshness"] == ("doubt", "offline")
    assert one.give(receipt) == "whole"
    bad = json.loads(proof)
    bad["entries"][4]["path"][1] = bad["entries"][4]["path"][0]
    assert one.give(json.dumps(bad, separators=(",", ":"), ensure_ascii=False)) == "cut"
    assert one.cut() == ("inclusion", "not-in-tree")
    # What needs the network says so, and nothing turns green that was not checked.
    assert one.paste(lot.path) == "unknown"


def test_a_history_that_was_written_anew_turns_red(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.open()
    state = store.ensure_born()
    # What this phone saw once: the log's own signature over another history.
    seen = signed(3, b"another history")
    one.remember(f"kept.{state.origin}", seen)
    assert one.paste(lot.path) == "cut"
    assert one.cut() == ("consistency", "rewritten")
    expect(one.page.locator("#result pre")).to_have_count(2)
    expect(one.page.locator("#result pre").first).to_contain_text(state.origin)
    assert one.remembers(f"kept.{state.origin}") == seen
    # Two histories of one size need no server to be told apart.
    proof = one.page.evaluate("path => fetch(path).then(answer => answer.text())", proof_path(lot))
    size = int(json.loads(proof)["checkpoint"].split("\n")[1])
    one.remember(f"kept.{state.origin}", signed(size, b"fork"))
    one.context.set_offline(True)
    assert one.give(proof) == "cut"
    assert one.cut() == ("consistency", "rewritten")


def test_only_the_largest_checkpoint_is_kept(reader: Opened, village: Village, lot: DigitalLink) -> None:
    one = reader()
    one.open()
    proof = one.page.evaluate("path => fetch(path).then(answer => answer.text())", proof_path(lot))
    village.packs(20, start_days_ago=12)
    assert one.give(proof) == "whole"
    state = store.ensure_born()
    kept = one.remembers(f"kept.{state.origin}")
    # The log's newest was asked for, and continues what the paper was signed under.
    assert parse_note(kept).text.split("\n")[1] == str(state.size)
    assert one.steps()["freshness"][1] == "older"
    assert one.give(proof) == "whole"
    assert one.steps()["consistency"] == ("whole", "continues")
    assert one.remembers(f"kept.{state.origin}") == kept


def test_a_key_that_the_old_one_did_not_announce_turns_red(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.open()
    origin = store.ensure_born().origin
    stranger = Log(seed=5, origin=origin).vkeys[0]
    one.remember("trust", {"keys": [stranger], "policy": "quorum none\n", "since": 1_790_000_000_000})
    assert one.paste(lot.path) == "cut"
    assert one.steps()["keys"] == ("cut", "keys-changed")


def test_a_key_that_the_old_one_announced_is_taken(app: Flask, reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.open()
    assert one.paste(lot.path) == "whole"
    before = one.remembers("trust")["keys"]
    new = rotation.begin().vkey
    rotation.finish()
    one.open()
    assert one.paste("/ledger/entries/1") == "whole"
    assert one.steps()["keys"] == ("whole", "keys-rotated")
    assert one.remembers("trust")["keys"] == [new, *before]
    assert one.paste(lot.path) == "whole"
    assert one.steps()["keys"] == ("whole", "remembered")
    # A reader who scanned before the change, and whom the lot's own proof tells of it.
    other = reader()
    other.page.goto("/verify")
    other.remember("trust", {"keys": before, "policy": "quorum none\n", "since": 1_790_000_000_000})
    other.page.goto(lot.path)
    expect(other.page.locator("#self-check")).to_have_attribute("data-verdict", "whole")
    assert other.remembers("trust")["keys"] == [new, *before]


def test_a_browser_without_ed25519_says_so_and_never_turns_green(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.context.add_init_script(
        """const load = crypto.subtle.importKey.bind(crypto.subtle);
        crypto.subtle.importKey = (format, data, kind, ...more) => (kind?.name ?? kind) === "Ed25519"
          ? Promise.reject(new DOMException("no such", "NotSupportedError")) : load(format, data, kind, ...more);"""
    )
    one.open()
    assert one.paste(lot.path) == "unknown"
    assert one.steps()["checkpoint"] == ("doubt", "no-crypto")
    assert [state for state, _ in one.steps().values()].count("whole") == 2
    expect(one.page.locator("#result")).to_contain_text("soi_verify.py")
    one.page.goto(lot.path)
    expect(one.page.locator("#self-check")).to_have_attribute("data-verdict", "unknown")


def test_a_reader_may_bring_her_own_key(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.open()
    one.page.get_by_text("Kiểm theo khoá của riêng bác").click()
    one.page.locator("#own").fill(store.ensure_born().vkey)
    assert one.paste(lot.path) == "whole"
    assert one.steps()["keys"] == ("whole", "pasted")
    one.page.locator("#own").fill(Log(seed=6, origin=store.ensure_born().origin).vkeys[0])
    assert one.paste(lot.path) == "cut"
    assert one.cut() == ("checkpoint", "not-signed")
    one.page.locator("#own").fill("chẳng phải khoá")
    assert one.paste(lot.path) == "cut"
    assert one.steps()["keys"][0] == "cut"


def test_a_new_policy_is_the_readers_to_accept(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.open()
    told = Log(seed=7)
    vkey = store.ensure_born().vkey
    witness = f"witness w {told.witnesses[0].verifier.vkey}\nquorum w\n"
    one.remember("trust", {"keys": [vkey], "policy": f"log {vkey}\n{witness}", "since": 1_790_000_000_000})
    # The site asks for no witness any more; this reader still does.
    assert one.paste(lot.path) == "cut"
    assert one.cut() == ("witnesses", "too-few-witnesses")
    one.page.get_by_role("button", name="Nhận điều kiện mới").click()
    assert one.paste(lot.path) == "whole"


def test_a_scanned_pack_is_checked_on_the_phone_itself(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.page.goto(lot.path)
    box = one.page.locator("#self-check")
    expect(box).to_have_attribute("data-verdict", "whole")
    expect(box).to_contain_text("Máy của bác vừa tự kiểm: lô này khớp với sổ")
    expect(box).to_contain_text("giây")
    expect(one.page.locator("#verdict")).to_contain_text("Máy của bác vừa tự kiểm")
    box.get_by_text("Xem từng bước máy đã kiểm").click()
    assert list(one.steps("#self-check")) == STEPS
    assert one.page.evaluate(STICKS_OUT) == []
    expect(one.page.get_by_role("link", name="Trang tự kiểm sổ")).to_have_attribute("href", "/verify")
    assert one.remembers(f"kept.{store.ensure_born().origin}")


def test_a_scanned_pack_whose_proof_was_forged_is_cut_and_without_a_proof_nothing_is_said(
    reader: Opened, lot: DigitalLink
) -> None:
    one = reader()

    def forge(route: Any) -> None:
        told = json.loads(route.fetch().text())
        told["entries"] = told["entries"][:-1]
        route.fulfill(body=json.dumps(told, separators=(",", ":"), ensure_ascii=False))

    one.page.route("**/proof", forge)
    one.page.goto(lot.path)
    box = one.page.locator("#self-check")
    expect(box).to_have_attribute("data-verdict", "cut")
    expect(box.get_by_role("alert")).to_contain_text("sợi bị đứt")
    # Before anything that the server says of itself.
    first = one.page.locator("main > section").first
    expect(first).to_have_class(re.compile("cut"))
    expect(first).to_contain_text("sợi bị đứt")
    # The page tells of a line that this proof does not hold.
    expect(box.locator(".why")).to_be_visible()
    one.page.unroute("**/proof")
    one.page.route("**/proof", lambda route: route.abort())
    one.page.goto(lot.path)
    expect(box).to_have_attribute("data-verdict", "unknown")
    expect(one.page.locator("main > section").first).to_have_id("verdict")
    one.errors.clear()


def test_a_page_that_hides_a_recall_is_cut_by_the_phone(reader: Opened, lot: DigitalLink) -> None:
    batch = db.session.scalars(select(Batch).where(Batch.lot == lot.lot)).one()
    recalls.start(Village().actor("office"), [batch.id], "Có mùi lạ.", drill=False, idempotency_key=uuid7())
    db.session.remove()
    told = reader()
    told.page.goto(lot.path)
    expect(told.page.locator("#self-check")).to_have_attribute("data-verdict", "whole")

    def hide(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('class="message recall"', 'class="message done"'))

    one = reader()
    one.page.route(f"**{lot.path}", hide)
    one.page.goto(lot.path)
    box = one.page.locator("#self-check")
    expect(box).to_have_attribute("data-verdict", "cut")
    expect(box.locator(".why").first).to_contain_text("đang bị thu hồi, mà trang này không nói ra")


def test_without_javascript_both_pages_say_how_to_check_otherwise(reader: Opened, lot: DigitalLink) -> None:
    one = reader(java_script_enabled=False)
    one.page.goto("/verify")
    expect(one.page.locator("#verify")).to_be_hidden()
    expect(one.page.locator("#otherwise")).to_contain_text("soi_verify.py")
    expect(one.page.get_by_text("Trang này cần JavaScript")).to_be_visible()
    one.page.goto(lot.path)
    expect(one.page.locator("#self-check")).to_be_hidden()
    expect(one.page.get_by_role("link", name="Hồ sơ của lô")).to_be_visible()


def test_it_speaks_english_too(reader: Opened, lot: DigitalLink) -> None:
    one = reader()
    one.page.goto("/verify?lang=en")
    expect(one.page.locator("#verify")).to_be_visible()
    one.page.locator("#text").fill(lot.path)
    one.page.get_by_role("button", name="Check", exact=True).click()
    assert one.verdict() == "whole"
    expect(one.page.locator("#result")).to_contain_text("The strand is whole")
    assert not re.search("[ăâđêôơư]", one.page.locator("#result").inner_text().replace("Bình Lư", ""))
