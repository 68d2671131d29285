"""Recording stages: what a household can write down, and what mass forbids."""

from tests.support.village import Village
from trace.ledger.verify import verify


def test_a_household_logs_everything_from_field_to_pack(village: Village) -> None:
    packed = village.batch(village.packs(40))
    assert (packed.left_units, packed.made_grams) == (40, 20_000)
    assert packed.origins["tuber"] == 160_000
    assert packed.best_before is not None
    report = verify()
    assert report.fault is None
    assert report.entries == 8
