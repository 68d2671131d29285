"""The policy file (C2SP tlog-policy): what it says is read exactly, and everything else is refused with its line."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace.ledger.note import COSIGNATURE, ED25519, Signer, Verifier
from trace.ledger.policy import Group, MalformedPolicy, Policy, Witness, satisfied


def key(number: int, type: int = COSIGNATURE, name: str = "") -> Verifier:
    return Signer.from_seed(name or f"w{number}.test/w", bytes([number]) * 32, type).verifier


LOG = key(200, ED25519, "log.test/ledger").vkey
W = [key(number).vkey for number in range(8)]
EXAMPLE = f"""\
# the specification's own example
log {LOG}

witness X1 {W[1]}
witness X2 {W[2]}   http://x2.test/prefix/
witness\tX3 {W[3]}
 group X-witnesses 2 X1 X2 X3
witness Y1 {W[4]}
witness Y2 {W[5]}
witness Y3 {W[6]}
  # indented
group Y-witnesses any Y1 Y2 Y3
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def public(*numbers: int) -> list[bytes]:
    return [key(number).public_key for number in numbers]


def test_the_specification_s_example_means_what_it_says() -> None:
    policy = Policy.parse(EXAMPLE.encode())
    assert [log.key.vkey for log in policy.logs] == [LOG]
    assert policy.witnesses[1].url == "http://x2.test/prefix"
    assert satisfied(policy, public(1, 3, 6))
    assert satisfied(policy, public(1, 2, 3, 4, 5, 6))
    for few in ((), (1, 2, 3), (4, 5, 6), (1, 4, 5, 6), (1, 1, 4), (1, 7, 4)):
        assert not satisfied(policy, public(*few)), few
    assert Policy.parse(policy.format().encode()) == policy


def test_none_asks_for_nobody_and_one_witness_for_that_one() -> None:
    assert satisfied(Policy.parse(b"quorum none\n"), [])
    alone = Policy.parse(f"witness A {W[1]}\nquorum A\n".encode())
    assert satisfied(alone, public(1))
    assert not satisfied(alone, public(2))


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "no quorum"),
        (f"log {LOG}\n", 0, "no quorum"),
        ("quorum none", 1, "no newline"),
        ("quorum none\nquorum none\n", 2, "second"),
        ("quorum\n", 1, "quorum's line"),
        ("quorum none none\n", 1, "quorum's line"),
        ("quorum A\n", 1, "called 'A'"),
        (f"quorum A\nwitness A {W[1]}\n", 1, "called 'A'"),
        ("\n\nwitnes A b\nquorum none\n", 3, "'witnes'"),
        ("Quorum none\n", 1, "'Quorum'"),
        ("quorum none\r\n", 1, "0x0d"),
        ("quorum none\n#\x00\n", 2, "0x00"),
        ("quorum none\n# \x7f\n", 2, "0x7f"),
        (f"log {LOG} http://a http://b\nquorum none\n", 1, "log's line"),
        (f"log {LOG}\nlog {LOG}\nquorum none\n", 2, "twice"),
        (f"log {W[1]}\nquorum none\n", 1, "0x01"),
        (f"witness A {LOG}\nquorum A\n", 1, "0x04"),
        (f"witness A {W[1]}x\nquorum A\n", 1, "base64"),
        (f"witness A {W[1]}\nwitness A {W[2]}\nquorum A\n", 2, "taken"),
        (f"witness none {W[1]}\nquorum none\n", 1, "taken"),
        (f"witness A {W[1]}\nwitness B {key(1, name='another.test/name').vkey}\nquorum A\n", 2, "twice"),
        (f"witness A {W[1]} ftp://a.test\nquorum A\n", 1, "http"),
        (f"witness A {W[1]} http://me:secret@a.test\nquorum A\n", 1, "http"),
        (f"witness A {W[1]} http://a.test?b\nquorum A\n", 1, "http"),
        (f"witness A {W[1]} http://[\nquorum A\n", 1, "http"),
        (f"witness A {W[1]}\ngroup G 1\nquorum G\n", 2, "group's line"),
        (f"witness A {W[1]}\ngroup G 0 A\nquorum G\n", 2, "'0'"),
        (f"witness A {W[1]}\ngroup G 2 A\nquorum G\n", 2, "'2'"),
        (f"witness A {W[1]}\ngroup G 01 A\nquorum G\n", 2, "'01'"),
        (f"witness A {W[1]}\ngroup G most A\nquorum G\n", 2, "'most'"),
        (f"witness A {W[1]}\ngroup G any B\nquorum G\n", 2, "'B'"),
        (f"witness A {W[1]}\ngroup G any G\nquorum G\n", 2, "'G'"),
        (f"witness A {W[1]}\ngroup G any none\nquorum G\n", 2, "'none'"),
        (f"witness A {W[1]}\ngroup G any A A\nquorum G\n", 2, "already"),
        (f"witness A {W[1]}\ngroup G any A\ngroup H any A G\nquorum H\n", 3, "already"),
        (f"witness A {W[1]}\ngroup A any A\nquorum A\n", 2, "taken"),
        ("#" * 70_000 + "\nquorum none\n", 0, "longer"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(MalformedPolicy, match=says) as caught:
        Policy.parse(text.encode())
    assert caught.value.line == line
    assert not line or str(caught.value).startswith(f"line {line}: ")


def test_names_are_octets() -> None:
    data = b"witness \xff " + W[1].encode() + b"\nwitness K " + W[2].encode() + b"\nquorum \xff\n"
    assert satisfied(Policy.parse(data), public(1))
    with pytest.raises(MalformedPolicy):
        Policy.parse("witness K {W[1]}\nquorum \u212a\n".encode())


def test_as_many_as_the_specification_asks_for_are_read() -> None:
    lines = [f"witness w{n} {key(n).vkey}\ngroup g{n} 1 w{n}\n" for n in range(60)]
    names = " ".join(f"g{n}" for n in range(60))
    policy = Policy.parse(("".join(lines) + f"group all-of-them 59 {names}\nquorum all-of-them\n").encode())
    assert satisfied(policy, public(*range(59)))
    assert not satisfied(policy, public(*range(58)))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy over up to six witnesses: groups take whatever nobody took before."""
    count = draw(st.integers(0, 6))
    urls: st.SearchStrategy[str] = st.sampled_from(("", "https://w.test:8017"))
    witnesses = tuple(Witness(f"W{n}", key(n), draw(urls)) for n in range(count))
    free, groups = [one.name for one in witnesses], list[Group]()
    for _group in range(draw(st.integers(0, 6))):
        if not free:
            break
        members: list[str] = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
        groups.append(Group(f"G{len(groups)}", draw(st.integers(1, len(members))), tuple(members)))
        free = [name for name in free if name not in members] + [groups[-1].name]
    quorum = draw(st.sampled_from(["none", *(one.name for one in witnesses), *(one.name for one in groups)]))
    return Policy((), witnesses, tuple(groups), quorum)


@given(policies())
def test_what_is_written_is_read_back(policy: Policy) -> None:
    assert Policy.parse(policy.format().encode()) == policy


@given(policies())
def test_the_quorum_is_what_its_definition_counts_to(policy: Policy) -> None:
    groups = {group.name: group for group in policy.groups}

    def witnessed(name: str, names: frozenset[str]) -> bool:
        if name not in groups:
            return name == "none" or name in names
        return sum(witnessed(member, names) for member in groups[name].members) >= groups[name].threshold

    for size in range(len(policy.witnesses) + 1):
        for chosen in itertools.combinations(policy.witnesses, size):
            names = frozenset(one.name for one in chosen)
            keys = [one.key.public_key for one in chosen] * 2
            assert satisfied(policy, keys) == witnessed(policy.quorum, names)


@given(st.binary(max_size=300) | st.text(alphabet="loquwitnesgrp ayk0129\n\t#+/=", max_size=200).map(str.encode))
def test_no_bytes_do_anything_but_be_read_or_refused(data: bytes) -> None:
    try:
        again = Policy.parse(data)
    except MalformedPolicy:
        return
    assert again.quorum == "none" or again.witnesses
