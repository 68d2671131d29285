"""What a label stands, in short; `python -m tests.bench.labels` has the figures."""

import pytest

from tests.bench.labels import SIDE, addresses
from tests.support import marred
from tests.support.marred import by_zbar, by_zxing

COUNT = 8
MILD = ("as printed", "rotation", "low contrast")


def test_a_label_of_15_mm_is_read_as_printed_turned_and_in_poor_light() -> None:
    prints = [(one, marred.ours(one, SIDE, 8.0)[0]) for one in addresses(COUNT)]
    for way in MILD:
        (read,) = marred.right(prints, way, [by_zxing])
        assert read >= COUNT - 1, way


@pytest.mark.parametrize("dots_per_mm", [8.0, 300 / 25.4])
def test_a_soiled_label_is_read_more_often_than_with_the_library_s_defaults(dots_per_mm: float) -> None:
    wanted = addresses(COUNT)
    ours = [(one, marred.ours(one, SIDE, dots_per_mm)[0]) for one in wanted]
    library = [(one, marred.in_library(one, SIDE, dots_per_mm)) for one in wanted]
    (mine,), (theirs,) = (marred.right(prints, "10 % dirt", [by_zxing]) for prints in (ours, library))
    assert mine > theirs


@pytest.mark.skipif(marred.ZBAR is None, reason="zbarimg (zbar-tools) is missing")
def test_another_reader_reads_it_too() -> None:
    prints = [(one, marred.ours(one, SIDE, 8.0)[0]) for one in addresses(COUNT)]
    (read,) = marred.right(prints, "as printed", [by_zbar])
    assert read >= COUNT - 1


def test_the_same_chances_mar_every_print_alike() -> None:
    one, other = (marred.ours(addresses(1)[0], SIDE, 8.0)[0] for _time in range(2))
    for way in marred.WAYS:
        assert marred.photographed(one, way, 3).tobytes() == marred.photographed(other, way, 3).tobytes()
        if way != "as printed":
            assert marred.photographed(one, way, 3).tobytes() != marred.photographed(one, way, 4).tobytes()
