"""The picture of where a period's money went."""

from dataclasses import dataclass, replace

from flask import Flask

from shop.settlement.drawing import HOMES_MAX, flow, parts


@dataclass(frozen=True)
class Sums:
    """A period's money, in đồng."""

    received: int = 1_000_000
    households: int = 700_000
    cooperative: int = 200_000
    carrier: int = 100_000
    provider: int = 0
    held: int = 0


def said(app: Flask, sums: Sums, homes: list[tuple[str, int]]) -> str | None:
    """What stands in the picture, from top to bottom; None where there is none."""
    with app.test_request_context():
        drawn = flow(sums, homes)
    return None if drawn is None else " ".join(line.words for line in drawn.lines).replace("\u00a0", " ")


def test_every_dong_is_in_the_picture_as_far_as_the_households(app: Flask) -> None:
    homes = [("Hộ Lò", 500_000), ("Hộ Giàng", 200_000), ("Hộ Vàng", 0)]
    told = said(app, Sums(), homes)
    assert told is not None
    for words in ("Tiền về 1.000.000 đ", "Hợp tác xã 200.000 đ", "Bên giao hàng 100.000 đ", "Hộ Lò 500.000 đ"):
        assert words in told
    assert "Hộ Vàng" not in told and "Phí thẻ" not in told
    with app.test_request_context():
        assert sum(amount for _name, _words, amount in parts(Sums())) == Sums().received


def test_what_was_undone_is_listed_and_not_drawn(app: Flask) -> None:
    assert said(app, replace(Sums(), cooperative=-50_000, households=950_000), []) is None
    assert said(app, Sums(0, 0, 0, 0), []) is None
    owing = said(app, Sums(), [("Hộ Lò", 800_000), ("Hộ Giàng", -100_000)])
    assert owing is not None and "Hộ Lò" not in owing and "Các hộ 700.000 đ" in owing
    many = said(app, Sums(), [(f"Hộ {number}", 1_000) for number in range(HOMES_MAX + 1)])
    assert many is not None and "Hộ 1 " not in many
