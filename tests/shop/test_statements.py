"""Banks' statements as files, and which of their credits are which of our transfers."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.payments import memos
from shop.payments.bank.told import Told
from shop.payments.daily.comparing import Ours, compare
from shop.payments.daily.statements import BadStatement, read

MEMO = memos.memo_of(777)
NOON = dt.datetime(2026, 11, 20, 5, 0, tzinfo=dt.UTC)
ONE = f"""Sao kê tài khoản;;;;
Số tài khoản:;0071000888888;;;
;;;;
STT;Ngày giao dịch;Số tham chiếu;Ghi nợ;Ghi có;Mô tả
1;20/11/2026 12:00:00;FT26324001;;120.000;{MEMO} CK
2;20/11/2026 12:05:00;FT26324002;55.000;;Phi dich vu
3;20/11/2026 18:30:01;FT26324003;;1.250.000 đ;NGUYEN THI THU tra tien
;Cộng;;55.000;1.370.000;
"""
TWO = (
    "Transaction Date (VN),Description,Amount,Reference Number\n"
    f'2026-11-20 12:00:00,"IB {MEMO}, cam on","+120,000.00 VND",FT26324001\n'
    '2026-11-20 13:00:00,Fee,"-11,000.00 VND",FT26324009\n'
)


def test_a_vietnamese_statement_is_read() -> None:
    found = read(ONE.encode("utf-8-sig"), "0071000888888")
    assert [(one.amount, one.reference) for one in found.credits] == [
        (120_000, "FT26324001"), (1_250_000, "FT26324003"),
    ]  # fmt: skip
    assert found.credits[0].at == NOON
    assert found.first == dt.date(2026, 11, 20)
    assert found.last == dt.datetime(2026, 11, 20, 11, 30, 1, tzinfo=dt.UTC)


def test_an_english_one_with_signs_is_read_the_same() -> None:
    found = read(TWO.encode("utf-16"), "0071000888888")
    assert [(one.amount, one.reference, memos.find(one.memo)) for one in found.credits] == [
        (120_000, "FT26324001", [MEMO])
    ]


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        ("", "no-heading", 0),
        ("ngày,nội dung\n20/11/2026,x\n", "no-heading", 0),
        ("ngày,nội dung,ghi có\n", "empty", 0),
        ("ngày,nội dung,ghi có\n32/11/2026,x,5\n", "date", 2),
        ("ngày,nội dung,ghi có\n20/11/2026,x,12.5\n", "amount", 2),
        ("ngày,nội dung,ghi có\n20/11/2026,x,1.2500\n", "amount", 2),
        ("ngày,nội dung,ghi có\n20/11/2026,x,nhiều\n", "amount", 2),
        ("ngày,nội dung,ghi có\n" + "20/11/2026,x,5\n" * 20_001, "too-long", 0),
        ("ngày,nội dung,ghi có\n20/11/2026,\0,5\n", "no-text", 0),
    ],
)
def test_what_cannot_be_read_is_refused_whole_with_its_line(text: str, why: str, line: int) -> None:
    with pytest.raises(BadStatement) as caught:
        read(text.encode(), "1")
    assert (caught.value.why, caught.value.line) == (why, line)


@given(st.binary(max_size=300))
def test_any_file_is_read_or_refused(body: bytes) -> None:
    with pytest.raises(BadStatement):
        read(body, "1")


def test_two_credits_alike_in_everything_are_two() -> None:
    text = "ngày,nội dung,ghi có\n" + "20/11/2026,mien,5000\n" * 2
    one, two = read(text.encode(), "1").credits
    assert one.key != two.key
    assert [credit.key for credit in read(text.encode(), "1").credits] == [one.key, two.key], "the same every time"


def _told(key: str, amount: int = 100, *, source: str = "statement", reference: str = "", memo: str = "") -> Told:
    return Told(source, key, "007", amount, NOON, reference, memo)


@pytest.mark.parametrize(
    ("theirs", "ours", "paired"),
    [
        (_told("1", source="sepay"), _told("1", source="sepay"), True),
        (_told("a", reference="FT 1-2"), _told("1", source="sepay", reference="ft12"), True),
        (_told("a", memo=f"x {MEMO}"), _told("1", source="sepay", memo=f"{MEMO} y"), True),
        (_told("a", memo="Nguyen chuyen tien"), _told("1", source="sepay", memo="NGUYEN CHUYEN TIEN"), True),
        (_told("a", memo="x"), _told("1", source="sepay", memo="y"), False),
        (_told("a", reference="FT1"), _told("1", 200, source="sepay", reference="FT1"), False),
        (_told("a"), _told("1", source="sepay"), False),
    ],
)
def test_credits_are_paired_by_a_sure_mark_only(theirs: Told, ours: Told, paired: bool) -> None:
    result = compare([theirs], [Ours("x", ours)])
    assert (len(result.known), len(result.missing), len(result.unknown)) == ((1, 0, 0) if paired else (0, 1, 1))


def test_the_same_id_with_another_amount_is_told() -> None:
    result = compare([_told("1", 100, source="sepay")], [Ours("x", _told("1", 900, source="sepay"))])
    assert len(result.differing) == 1
    assert not result.known and not result.missing and not result.unknown


TOLD = st.builds(
    _told,
    key=st.sampled_from("abcdef"),
    amount=st.sampled_from([100, 200]),
    source=st.sampled_from(["statement", "sepay"]),
    reference=st.sampled_from(["", "FT1", "FT2"]),
    memo=st.sampled_from(["", "mien", MEMO]),
)


@given(st.lists(TOLD, max_size=8), st.lists(TOLD, max_size=8))
def test_each_credit_and_each_transfer_is_told_of_exactly_once(theirs: list[Told], ours: list[Told]) -> None:
    result = compare(theirs, [Ours(str(at), told) for at, told in enumerate(ours)])
    pairs = [*result.known, *result.differing]
    assert len(pairs) + len(result.missing) == len(theirs)
    assert sorted([one.id for _told_, one in pairs] + [one.id for one in result.unknown]) == sorted(
        str(at) for at in range(len(ours))
    )
