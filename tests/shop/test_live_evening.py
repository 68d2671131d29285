"""The simulated evening, in three seconds; `python -m tests.bench.evening` plays the whole of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from shop.live.parser import parse
from tests.support.evening.play import SMALL, Evening
from tests.support.evening.proof import Proof
from tests.support.evening.script import CODES, written
from tests.support.serving import start
from tests.support.soak import times
from tests.support.village import Village
from village.settings import Settings

INTENTS = {"more": "order", "chatter": "ignored"}


def test_what_the_script_says_is_read_as_its_writers_mean_it() -> None:
    for one in written(SMALL.seed, SMALL.stretches):
        reading = parse(one.text, CODES)
        assert reading.intent == INTENTS.get(one.meaning, one.meaning), one
        assert tuple((line.code, line.quantity) for line in reading.lines) == one.wanted, one
        assert reading.additive == (one.meaning == "more"), one


@pytest.mark.processes
@pytest.mark.slow_once
@pytest.mark.parametrize("again", range(times(1)))
def test_an_evening_of_three_livestreams_beside_the_storefront_loses_doubles_and_oversells_nothing(
    app: Flask, village: Village, settings: Settings, again: int, record_property: Callable[[str, object], None]
) -> None:
    evening = Evening(app, village, replace(SMALL, seed=7 + again))
    evening.set_up()
    served = start(settings, workers=2, env=evening.env)
    try:
        evening.play(served.port)
    finally:
        served.stop()
    assert evening.faults() == []
    proof = Proof(evening.said, evening.sessions)
    made = proof.decisions()
    # All that can come of a comment did, so that what is proven is proven of something.
    assert min(made[kind] for kind in ("order", "waitlist", "cancel", "question", "ignored")) > 0
    assert proof.told_late() and any(reader.resent for reader in evening.readers)
    assert any(door.tokens for door in evening.doors)
    record_property("comments of simulated evenings", len(evening.said))
