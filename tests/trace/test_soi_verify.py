"""The stranger's one file: receipts, whole logs, consistency; its exit status, its words, and its patience."""

import ast
import copy
import http.server
import json
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.proofs import OTHER, Log, Story, document, small, story
from tests.support.verifiers import SCRIPT, run, soi_verify
from trace.gs1.digital_link import class_uri
from trace.ledger.canonical import canonical, parse
from trace.ledger.errors import MalformedEntry
from trace.ledger.note import ED25519, Signer
from trace.ledger.proof import Proof, verify_proof


def laid(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def asked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """In this process, which is quicker."""
    status = soi_verify.main([str(one) for one in arguments])
    return status, capsys.readouterr().out


@pytest.fixture(scope="module")
def told() -> Story:
    return story()


@pytest.fixture
def mirror(tmp_path: Path, told: Story) -> Path:
    return laid(tmp_path / "mirror", told.log.tree())


@pytest.fixture(scope="module")
def long() -> Log:
    """600 entries: two full tiles and a part of a third, and a node of the second level of tiles."""
    log = Log(3)
    phone = log.phones["ed"]
    log.enrol(phone)
    for number in range(598):
        log.harvest(class_uri(OTHER, f"BL26M-{number:04d}"), 1000, phone if number % 40 == 0 else None)
    return log


# The file itself


def test_it_needs_nothing_but_python_3_9_and_cryptography() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 9))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outside = {name.partition(".")[0] for name in named} - set(sys.stdlib_module_names)
    assert outside == {"cryptography"}
    code = "\n".join(line for line in SCRIPT.read_text().splitlines() if not line.startswith("#"))
    newer = (".bit_count(", "strict=True", "datetime.UTC", "import UTC", "pairwise", "tomllib", "StrEnum", "slots=True")
    assert not [name for name in newer if name in code]


def test_its_help_says_what_to_do(tmp_path: Path) -> None:
    status, said = run("--help", cwd=tmp_path)
    assert status == 0
    for word in ("public key", "receipt", "lot", "log", "consistency", "status 0", "1 when", "2 when"):
        assert word in said
    for command in ("receipt", "lot", "log", "consistency"):
        status, said = run(command, "--help", cwd=tmp_path)
        assert status == 0 and "--key" in said and "--policy" in said
    assert run(cwd=tmp_path)[0] == 2


def test_without_cryptography_it_says_what_to_install(tmp_path: Path) -> None:
    laid(tmp_path, {"cryptography/__init__.py": b"raise ImportError"})
    code = f"import sys, runpy; sys.path.insert(0, {str(tmp_path)!r}); runpy.run_path({str(SCRIPT)!r})"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode and "pip install cryptography" in done.stderr and "Traceback" not in done.stderr


# Canonical JSON, against the library that the ledger is written with

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(-(2.0**53) + 1, 2.0**53 - 1, allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_its_canonical_json_is_that_of_the_ledger(value: Any) -> None:
    obj = {"value": value}
    try:
        data = canonical(obj)
    except MalformedEntry:
        return
    assert soi_verify.strict_json(data) == parse(data)
    assert soi_verify.jcs(parse(data)) == data


@pytest.mark.parametrize("number", [0.1, 1e-7, 1.5e-9, 123456.789, 5e-324, 0.000001, 9007199254740990.0, 1e15, -2.5])
def test_it_writes_numbers_as_ecmascript_does(number: float) -> None:
    assert soi_verify.jcs(number) == rfc8785.dumps(number)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_it_reads_the_same_entries_as_the_ledger(data: st.DataObject) -> None:
    text = bytearray(small().log.entries[-1])
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        parse(bytes(text))
        good = True
    except MalformedEntry:
        good = False
    try:
        soi_verify.strict_json(bytes(text))
        assert good
    except soi_verify.Broken:
        assert not good


# Receipts


def test_every_receipt_holds(tmp_path: Path, told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for index in range(len(told.log.entries)):
        names.append(tmp_path / f"{index}.tlog-proof")
        names[-1].write_text(told.log.receipt(index))
    status, said = asked(capsys, "receipt", *names, "--key", told.log.vkeys[1])
    assert (status, said.count("inclusion")) == (0, len(names))
    assert "HOLDS: every entry" in said and "'pack'" in said
    status, said = asked(capsys, "receipt", names[0], "--key", told.log.vkeys[0])
    assert status == 1 and "DOES NOT HOLD: checkpoint" in said and "newer one" in said


def test_an_entry_beside_its_receipt(tmp_path: Path, told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    proof = Proof.parse(told.log.receipt(3))
    laid(tmp_path, {"r": Proof(3, proof.path, proof.checkpoint).format().encode(), "e": told.log.entries[3]})
    laid(tmp_path, {"other": told.log.entries[4]})
    key = told.log.vkeys[1]
    assert asked(capsys, "receipt", tmp_path / "r", "--key", key)[0] == 2
    assert asked(capsys, "receipt", tmp_path / "r", "--key", key, "--entry", tmp_path / "e")[0] == 0
    status, said = asked(capsys, "receipt", tmp_path / "r", "--key", key, "--entry", tmp_path / "other")
    assert status == 1 and "DOES NOT HOLD: inclusion" in said


def test_any_changed_byte_of_a_receipt_is_found_by_both_verifiers() -> None:
    log = small().log
    text = log.receipt(3, log.checkpoint(witnesses=0)).encode()
    key = log.ledger_keys[0].verifier
    trust, quiet = soi_verify.Trust([soi_verify.read_key(key.vkey)], None), soi_verify.Told(quiet=True)
    soi_verify.check_receipt(text, None, trust, quiet)
    for position in range(len(text)):
        changed = bytearray(text)
        changed[position] ^= 1 << position % 8
        with pytest.raises(soi_verify.StepBroken):
            soi_verify.check_receipt(bytes(changed), None, trust, quiet)
        result = verify_proof(log.entries[3], bytes(changed), log.origin, [key])
        assert not result.holds or result.extra != log.entries[3]


# The whole log


def test_a_whole_log_holds_with_its_first_key_alone(
    mirror: Path, told: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = asked(capsys, "log", mirror, "--key", told.log.vkeys[0])
    assert status == 0, said
    assert f"HOLDS: the whole log '{told.log.origin}', {len(told.log.entries)} entries" in said
    assert "none missing, ended by entry" in said
    assert "1 corrections" in said


def test_without_a_key_it_says_whose_it_took(mirror: Path, told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = asked(capsys, "log", mirror)
    assert status == 0 and "NOTE: you gave no key" in said and told.log.vkeys[1] in said
    laid(mirror, {"keys": Signer.from_seed(told.log.origin, bytes(32), ED25519).verifier.vkey.encode()})
    assert asked(capsys, "log", mirror)[0] == 1


def test_a_policy_is_asked_of_the_log(mirror: Path, told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    laid(mirror.parent, {"two": told.log.policy("2").encode(), "all": told.log.policy("all").encode()})
    laid(mirror, {"checkpoint": told.log.checkpoint(witnesses=2).encode()})
    status, said = asked(capsys, "log", mirror, "--policy", mirror.parent / "two")
    assert status == 0 and "2 known witnesses" in said
    status, said = asked(capsys, "log", mirror, "--policy", mirror.parent / "all")
    assert status == 1 and "DOES NOT HOLD: witnesses: 2 known witnesses" in said


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 600])
def test_logs_of_every_shape_hold(tmp_path: Path, long: Log, size: int, capsys: pytest.CaptureFixture[str]) -> None:
    mirror = laid(tmp_path, long.tree(long.checkpoint(size)))
    status, said = asked(capsys, "log", mirror, "--key", long.vkeys[0])
    assert status == 0 and f"{size} entries" in said, said


def test_gaps_and_repeats_of_a_phone_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = small()
    phone = told.log.phones["ed"]
    phone.seq += 2
    told.log.dispatch(told.lot, 1, phone)
    mirror = laid(tmp_path / "gap", told.log.tree())
    status, said = asked(capsys, "log", mirror, "--key", told.log.vkeys[0])
    assert status == 0 and "numbers up to 4, 2 numbers missing (2, 3)" in said
    phone.seq = 0
    told.log.dispatch(told.lot, 1, phone)
    status, said = asked(capsys, "log", laid(tmp_path / "twice", told.log.tree()), "--key", told.log.vkeys[0])
    assert status == 1 and "DOES NOT HOLD: entries: entry 5: phone" in said and "number 1 a second time" in said


def earlier(log: Log) -> bytes:
    return canonical({**parse(log.entries[-1]), "recordedAt": "2020-01-01T00:00:00.000Z"})


def odd_time(log: Log) -> bytes:
    return canonical({**parse(log.entries[-1]), "recordedAt": "yesterday"})


def other_event(log: Log) -> bytes:
    record = parse(log.entries[-1])
    return canonical({**record, "event": {**record["event"], "soi:stage": "dry"}})


def other_chain(log: Log) -> bytes:
    record = parse(log.entries[-1])
    return canonical({**record, "chain": [{**record["chain"][0], "seq": 9, "prev": "A" * 43 + "="}]})


def no_json(_log: Log) -> bytes:
    return b"noodles"


@pytest.mark.parametrize("lie", [earlier, odd_time, other_event, other_chain, no_json])
def test_a_log_that_signs_what_cannot_be_is_refused_with_the_entry(
    tmp_path: Path, told: Story, lie: Callable[[Log], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    log = copy.deepcopy(told.log)
    last = len(log.entries) - 1
    log.entries[last] = lie(log)
    status, said = asked(capsys, "log", laid(tmp_path, log.tree()), "--key", log.vkeys[0])
    assert status == 1 and f"DOES NOT HOLD: entries: entry {last}:" in said


def test_a_flipped_bit_anywhere_in_the_tree_is_found(
    tmp_path: Path, told: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: data for name, data in told.log.tree().items() if name not in ("keys", "policy")}
    policy = laid(tmp_path, {"p": told.log.policy("all").encode()}) / "p"
    chance = random.Random(5)
    for name, data in files.items():
        mirror = laid(tmp_path / "m", files)
        for position in chance.sample(range(len(data)), min(len(data), 25)):
            changed = bytearray(data)
            changed[position] ^= 1 << chance.randrange(8)
            (mirror / name).write_bytes(changed)
            status, said = asked(capsys, "log", mirror, "--policy", policy)
            assert status in (1, 2), f"{name} byte {position}: {said}"


def test_hash_tiles_of_higher_levels_are_checked(
    tmp_path: Path, long: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    files = long.tree()
    higher = [name for name in files if name.startswith("tile/1/")]
    assert higher == ["tile/1/000.p/2"]
    mirror = laid(tmp_path, {**files, higher[0]: bytes(64)})
    status, said = asked(capsys, "log", mirror, "--key", long.vkeys[0])
    assert status == 1 and "DOES NOT HOLD: tiles: hash tile 0 of level 1" in said


def test_a_missing_tile_cannot_be_checked(mirror: Path, told: Story, capsys: pytest.CaptureFixture[str]) -> None:
    (mirror / f"tile/0/000.p/{len(told.log.entries)}").unlink()
    status, said = asked(capsys, "log", mirror, "--key", told.log.vkeys[0])
    assert status == 2 and "COULD NOT BE CHECKED: there is no file" in said


def test_a_tile_that_has_grown_stands_in_for_what_it_was(
    tmp_path: Path, long: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {**long.tree(long.checkpoint(300)), **long.tree(), "checkpoint": long.checkpoint(300).encode()}
    files = {name: data for name, data in files.items() if not name.endswith(".p/44")}
    assert asked(capsys, "log", laid(tmp_path, files), "--key", long.vkeys[0])[0] == 0


def test_kept_checkpoints_must_lie_on_the_history(
    mirror: Path, told: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    laid(mirror, {"checkpoints/13": told.early.encode()})
    status, said = asked(capsys, "log", mirror, "--key", told.log.vkeys[0])
    assert status == 0 and "1 kept checkpoints" in said
    other = Log(told.log.seed)
    for _ in range(12):
        other.enrol(other.phones["ed"])
    laid(mirror, {"checkpoints/13": other.checkpoint().encode()})
    status, said = asked(capsys, "log", mirror, "--key", told.log.vkeys[0])
    assert status == 1 and "the one of 13 entries is of another history" in said
    laid(mirror, {"checkpoints/13": told.early.encode(), "checkpoints/99": told.early.encode()})
    assert asked(capsys, "log", mirror, "--key", told.log.vkeys[0])[0] == 1


def test_a_phone_s_numbers_are_kept_small_in_any_order() -> None:
    numbers = soi_verify.Numbers()
    order = [n for n in range(1, 5001) if n not in (17, 400)]
    random.Random(1).shuffle(order)
    assert all(numbers.use(n) for n in order)
    assert (numbers.missing(), numbers.first_missing(), numbers.newest) == (2, [17, 400], 5000)
    assert not numbers.use(4000) and not numbers.use(3)
    assert numbers.use(17) and not numbers.use(17)
    assert (numbers.missing(), numbers.all_below) == (1, 400)


# Consistency


def test_any_two_checkpoints_of_a_log_are_consistent(tmp_path: Path, long: Log) -> None:
    source = ["--from", str(laid(tmp_path / "m", long.tree())), "--key", long.vkeys[0], "--quiet"]
    sizes = [0, 1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 599, 600]
    for size in sizes:
        laid(tmp_path, {str(size): long.checkpoint(size).encode()})
    chance = random.Random(2)
    for old, new in [(0, 600), (1, 513), (256, 512), *(chance.choices(sizes, k=2) for _ in range(25))]:
        pair = [str(tmp_path / str(size)) for size in (old, new)]
        assert soi_verify.main(["consistency", *pair, *source]) == 0, (old, new)


def forked(log: Log, at: int) -> Log:
    """The same log, with another entry at this place and everything after it."""
    other = Log(log.seed)
    other.entries = log.entries[:at]
    for _ in log.entries[at:]:
        other.enrol(other.phones["ed"])
    return other


@pytest.mark.parametrize(("old", "new", "at"), [(300, 600, 100), (256, 600, 255), (512, 600, 3), (257, 258, 256)])
@pytest.mark.parametrize("source", ["ours", "other"])
def test_a_fork_is_found_whoever_serves_the_tiles_and_both_are_shown(
    tmp_path: Path, long: Log, old: int, new: int, at: int, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = forked(long, at)
    first, second = long.checkpoint(old), other.checkpoint(new)
    laid(tmp_path, {"old": first.encode(), "new": second.encode()})
    laid(tmp_path / "m", (long if source == "ours" else other).tree())
    for pair in (("old", "new"), ("new", "old")):
        status, said = asked(
            capsys, "consistency", *(tmp_path / name for name in pair), "--from", tmp_path / "m", "--key", long.vkeys[0]
        )
        assert status == 1 and "DOES NOT HOLD: consistency" in said, said
        shown = [first, second, (long if source == "ours" else other).checkpoint()]
        assert sum(note in said for note in shown) >= 2


def test_two_roots_for_one_size_are_a_fork(tmp_path: Path, long: Log, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = long.checkpoint(300), forked(long, 100).checkpoint(300)
    laid(tmp_path, {"old": first.encode(), "new": second.encode()})
    laid(tmp_path / "m", long.tree())
    status, said = asked(
        capsys, "consistency", tmp_path / "old", tmp_path / "new", "--from", tmp_path / "m", "--key", long.vkeys[0]
    )
    assert status == 1 and "two different roots for the same 300 entries" in said and first in said and second in said


def test_a_corrupt_mirror_is_no_evidence_of_a_fork(
    tmp_path: Path, long: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    laid(tmp_path, {"old": long.checkpoint(300).encode(), "new": long.checkpoint(600).encode()})
    files = long.tree()
    for name in [name for name in files if name.startswith(("tile/0/", "tile/1/"))]:
        changed = bytearray(files[name])
        changed[40] ^= 1
        mirror = laid(tmp_path / name.replace("/", "-"), {**files, name: bytes(changed)})
        status, said = asked(
            capsys, "consistency", tmp_path / "old", tmp_path / "new", "--from", mirror, "--key", long.vkeys[0]
        )
        assert status in (0, 2), f"{name}: {said}"
        assert "evidence" not in said


def test_checkpoints_that_nobody_known_signed_prove_nothing(
    tmp_path: Path, long: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = Signer.from_seed(long.origin, bytes(32), ED25519)
    laid(tmp_path, {"old": long.checkpoint(300, signers=[stranger]).encode(), "new": long.checkpoint().encode()})
    mirror = laid(tmp_path / "m", long.tree())
    status, said = asked(
        capsys, "consistency", tmp_path / "old", tmp_path / "new", "--from", mirror, "--key", long.vkeys[0]
    )
    assert status == 1 and "DOES NOT HOLD: checkpoint" in said


# Over the network


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_told: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path, told: Story) -> Iterator[str]:
    laid(tmp_path / "web" / "ledger", told.log.tree())
    _, _, path = told.lot.partition("/01/")
    gtin, _, lot = path.partition("/10/")
    laid(tmp_path / "web", {f"ledger/lots/{gtin}/{lot}/proof": document(told.log.lot_proof(told.lot))})
    handler = partial(_Quiet, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_site_is_checked_over_the_network(site: str, told: Story, tmp_path: Path) -> None:
    key = told.log.vkeys[0]
    for place in (site, f"{site}/ledger", f"{site}/ledger/"):
        status, said = run("log", place, "--key", key, cwd=tmp_path)
        assert status == 0 and "HOLDS: the whole log" in said, said
    _, _, path = told.lot.partition("id.gs1.org")
    status, said = run("lot", site + path, "--key", key, cwd=tmp_path)
    assert status == 0 and "5 batches" in said
    status, said = run("lot", f"{site}/nothing", "--key", key, cwd=tmp_path)
    assert status == 2 and "404" in said


def test_a_server_that_trickles_or_never_ends_is_left(monkeypatch: pytest.MonkeyPatch, told: Story) -> None:
    monkeypatch.setattr(soi_verify, "FETCH_SECONDS", 0.5)
    ready = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = ready.accept()
                peer.recv(1000)
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    peer.sendall(b"x" * 10)
                    threading.Event().wait(0.02)
            except OSError:
                if ready.fileno() < 0:
                    return

    threading.Thread(target=serve, daemon=True).start()
    port = ready.getsockname()[1]
    with pytest.raises(soi_verify.Unchecked, match="takes longer"):
        soi_verify.fetch(f"http://127.0.0.1:{port}/", 10**9)
    with pytest.raises(soi_verify.Unchecked, match="more than 50 bytes"):
        soi_verify.fetch(f"http://127.0.0.1:{port}/", 50)
    ready.close()
    with pytest.raises(soi_verify.Unchecked, match="cannot be fetched"):
        soi_verify.fetch(f"http://127.0.0.1:{port}/", 50)


def test_answers_that_are_no_http_and_redirects_to_files_are_refused(told: Story) -> None:
    answers = [
        b"noodles\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 500 No\r\n\r\n",
    ]
    ready = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            peer, _ = ready.accept()
            peer.recv(1000)
            peer.sendall(answer)
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    for answer in answers:
        if b"Content-Length" in answer:
            assert soi_verify.fetch(f"http://127.0.0.1:{ready.getsockname()[1]}/", 5000) == b"short"
            continue
        with pytest.raises(soi_verify.Unchecked):
            soi_verify.fetch(f"http://127.0.0.1:{ready.getsockname()[1]}/", 5000)
    ready.close()


# Whatever one can get wrong


@pytest.mark.parametrize(
    "arguments",
    [
        ["lot", "nothing-here"],
        ["lot", "nothing-here", "--key", "KEY"],
        ["lot", "/dev/zero", "--key", "KEY"],
        ["lot", "/proc/self/mem", "--key", "KEY"],
        ["lot", ".", "--key", "KEY"],
        ["lot", "good", "--key", "not a key"],
        ["lot", "good", "--key", "so+1+2"],
        ["lot", "good", "--key", "good"],
        ["lot", "good", "--policy", "nothing-here"],
        ["lot", "http://127.0.0.1:1/x", "--key", "KEY"],
        ["lot", "http://[", "--key", "KEY"],
        ["lot", "http://x y/", "--key", "KEY"],
        ["log", "nothing-here", "--key", "KEY"],
        ["log", ".", "--key", "KEY"],
        ["consistency", "good", "good", "--from", "nothing-here", "--key", "KEY"],
        ["receipt", "good", "good", "--entry", "good", "--key", "KEY"],
        ["receipt"],
        ["noodles"],
    ],
)
def test_what_cannot_be_checked_ends_with_status_2(tmp_path: Path, told: Story, arguments: list[str]) -> None:
    laid(tmp_path, {"good": document(told.log.lot_proof(told.lot))})
    given = [told.log.vkeys[0] if one == "KEY" else one for one in arguments]
    status, said = run(*given, cwd=tmp_path)
    assert status == 2 and said


def test_nothing_of_a_foreign_text_reaches_the_terminal_raw(tmp_path: Path, told: Story) -> None:
    bad = told.log.lot_proof(told.lot)
    bad["format"] = "\u009b31m\u202eevil"
    laid(tmp_path, {"lot": document(bad)})
    status, said = run("lot", "lot", "--key", told.log.vkeys[0], cwd=tmp_path)
    assert status == 1 and "\u009b" not in said and "\u202e" not in said


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 3000), st.booleans())
def test_receipts_and_notes_of_any_bytes_are_answered(piece: bytes, at: int, whole: bool) -> None:
    log = small().log
    text = log.receipt(3).encode()
    data = piece if whole else text[:at] + piece + text[at + len(piece) :]
    trust = soi_verify.Trust([soi_verify.read_key(log.vkeys[0])], None)
    acts: tuple[Callable[[], Any], ...] = (
        lambda: soi_verify.check_receipt(data, None, trust, soi_verify.Told(quiet=True)),
        lambda: soi_verify.read_head(soi_verify.read_note(data)),
        lambda: soi_verify.Policy.read(data),
        lambda: soi_verify.read_entry(0, data),
        lambda: soi_verify.read_key(data.decode("latin-1")),
    )
    for act in acts:
        try:
            act()
        except (soi_verify.Broken, soi_verify.Unchecked) as error:
            assert str(error)


def test_its_policies_are_those_of_the_ledger(told: Story) -> None:
    keys = {one.verifier.public_key for one in told.log.witnesses}
    for quorum, least in (("any", 1), ("2", 2), ("all", 3)):
        policy = soi_verify.Policy.read(told.log.policy(quorum).encode())
        for count in range(4):
            assert policy.satisfied(set(sorted(keys)[:count])) == (count >= least)
    for bad in ("", "quorum nobody\n", "log x\nquorum none\n", "noodles\nquorum none\n", "group g 2 a b\nquorum g\n"):
        with pytest.raises(soi_verify.Broken):
            soi_verify.Policy.read(bad.encode())


def test_strict_json_is_bounded() -> None:
    deep = (b"[" * 16000, b'{"a":' * 3000, b"[" * 40 + b"]" * 40)
    spelled = (b'"\\ud800"', json.dumps("e\u0301").encode(), '"e\u0301"'.encode(), b'{"b":1,"a":1}', b'{"a":1,"a":1}')
    for data in (*deep, *spelled, b"1" * 5000, b"NaN", b"-0", b"1.0", b"9007199254740992", b'"' + b"x" * 20000 + b'"'):
        with pytest.raises(soi_verify.Broken):
            soi_verify.strict_json(data)
