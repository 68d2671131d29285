"""What past parcels ask of the next order: little, of few, and not for long."""

import pytest

from shop.refusals.rules import Outcome, Tally, guess, judge, rules, tally


@pytest.mark.parametrize(
    ("taken", "refused", "missed", "word"),
    [
        (0, 1, 0, "ask"), (3, 1, 0, "ask"), (4, 1, 0, "fine"), (0, 2, 0, "deposit"), (2, 2, 0, "deposit"),
        (3, 2, 0, "ask"), (9, 2, 0, "fine"), (1, 0, 1, "fine"), (0, 0, 1, "fine"), (0, 0, 2, "ask"),
        (0, 0, 9, "ask"), (0, 1, 9, "ask"), (5, 0, 0, "fine"),
        (60, 9, 0, "fine"),
    ],
)  # fmt: skip
def test_what_is_asked_follows_from_how_often_it_happened(taken: int, refused: int, missed: int, word: str) -> None:
    assert judge(Tally(taken, refused, missed), 500_000, rules())[0] == word


def test_a_number_of_which_nothing_is_known_is_rung_for_a_large_order_only() -> None:
    by = rules()
    assert judge(Tally(), by.new_from - 1, by) == ("fresh", "")
    assert judge(Tally(), by.new_from, by) == ("ask", "new")
    assert judge(Tally(delivered=1), by.new_from, by) == ("fine", "")


def test_an_order_in_three_boxes_is_refused_once() -> None:
    assert tally([("a", "refused"), ("a", "refused"), ("a", "unreachable"), ("b", "delivered")]) == Tally(1, 1, 0)


def test_an_order_of_which_one_box_was_taken_was_taken() -> None:
    assert tally([("a", "refused"), ("a", "delivered"), ("a", "unreachable")]) == Tally(1, 0, 0)


def test_taking_parcels_again_makes_good_what_was() -> None:
    by, words = rules(), []
    for taken in range(8):
        words.append(judge(Tally(taken, 2, 0), 0, by)[0])
    assert words == ["deposit"] * 3 + ["ask"] * 4 + ["fine"]


@pytest.mark.parametrize(
    ("said", "proposed"),
    [
        ("Người nhận từ chối nhận hàng", "refused"),
        ("KHÁCH KHÔNG NHẬN HÀNG, đổi ý", "refused"),
        ("Gọi 3 lần thuê bao", "unreachable"),
        ("Không liên lạc được người nhận", "unreachable"),
        ("Thuê bao, sau đó từ chối nhận", None),
        ("Địa chỉ sai", None),
        ("Hàng hư hỏng", None),
        ("Khách hẹn lại ngày mai", None),
        ("", None),
    ],
)
def test_a_carriers_words_are_a_proposal_where_they_say_one_thing(said: str, proposed: Outcome | None) -> None:
    assert guess(said, rules()) == proposed
