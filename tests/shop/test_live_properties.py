"""Whatever a network does to a source's comments: what must come out the same, and what must hold in any case."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.live import services
from tests.shop.saying import Word, World, cut, scrambled
from tests.support.soak import times
from tests.support.village import Village

VIEWERS = ("lan", "hoa", "mai", "thu")
TEXTS = (
    "md01 x1", "md01 x2", "md02 x3", "chốt md01 1 gói, md02 1 gói", "thêm 1 md01", "lấy thêm 2 gói md02", "hủy md01",
    "hủy 1 gói md02", "hủy md02", "0912345678", "md01 x1 0912345677", "giá md01 bao nhiêu vậy", "đẹp quá",
)  # fmt: skip
SHELF = st.fixed_dictionaries({"MD01": st.integers(0, 5), "MD02": st.integers(0, 6)})
LIMITS = st.sampled_from(({}, {"MD01": 2}, {"MD02": 3}))
WORDS = st.lists(st.tuples(st.sampled_from(VIEWERS), st.sampled_from(TEXTS)), min_size=2, max_size=12).map(
    lambda said: [Word(second, author, text) for second, (author, text) in enumerate(said)]
)
CHANCE = st.randoms(use_true_random=False)


def few(count: int) -> settings:
    return settings(
        max_examples=times(count), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )


def in_order(village: Village, words: list[Word], packs: dict[str, int], limits: dict[str, int]) -> World:
    """What becomes of it when each comment comes alone, once, as the platform has them."""
    world = World(village, packs, limits)
    world.hear(*([word] for word in words))
    return world


@few(6)
@given(words=WORDS, packs=SHELF, limits=LIMITS, chance=CHANCE)
def test_comments_that_come_mixed_up_and_repeated_are_decided_as_the_platform_has_them(
    village: Village, words: list[Word], packs: dict[str, int], limits: dict[str, int], chance: random.Random
) -> None:
    plain, mixed = in_order(village, words, packs, limits), World(village, packs, limits)
    mixed.hear(*scrambled(cut(words, chance), chance))
    assert mixed.decided() == plain.decided()
    assert mixed.faults() == plain.faults() == []


@few(6)
@given(words=WORDS, packs=SHELF, limits=LIMITS, chance=CHANCE)
def test_however_late_and_often_comments_come_nothing_is_lost_doubled_or_sold_twice(
    village: Village, words: list[Word], packs: dict[str, int], limits: dict[str, int], chance: random.Random
) -> None:
    world = World(village, packs, limits)
    delayed = words + [word for word in words if chance.random() < 0.3]
    chance.shuffle(delayed)
    world.hear(*cut(delayed, chance))
    assert set(world.decided()) == set(words)
    assert world.faults() == world.beyond() == []


@few(3)
@given(words=WORDS, chance=CHANCE)
def test_where_there_is_enough_for_all_one_viewers_delay_changes_nothing_for_another(
    village: Village, words: list[Word], chance: random.Random
) -> None:
    packs = {"MD01": 60, "MD02": 60}
    own = {author: [word for word in words if word.author == author] for author in VIEWERS}
    woven: list[Word] = []
    while any(own.values()):
        woven.append(own[chance.choice([author for author in VIEWERS if own[author]])].pop(0))
    plain, delayed = in_order(village, words, packs, {}), World(village, packs)
    delayed.hear(*cut(woven, chance))
    assert delayed.decided() == plain.decided()
    assert delayed.faults() == []


@few(4)
@given(words=WORDS, packs=SHELF, limits=LIMITS, chance=CHANCE)
def test_what_came_in_a_pause_in_any_order_is_decided_as_the_platform_has_it(
    village: Village, words: list[Word], packs: dict[str, int], limits: dict[str, int], chance: random.Random
) -> None:
    plain, paused = in_order(village, words, packs, limits), World(village, packs, limits)
    services.pause(paused.actor, paused.id)
    delayed = words + [word for word in words if chance.random() < 0.3]
    chance.shuffle(delayed)
    paused.hear(*cut(delayed, chance))
    assert not any(paused.decided().values())
    services.resume(paused.actor, paused.id)
    assert paused.decided() == plain.decided()
    assert paused.faults() == []


CHANGES = st.lists(st.tuples(st.integers(0, 11), st.sampled_from((*TEXTS[:7], None))), max_size=6)


@few(5)
@given(words=WORDS, changes=CHANGES, packs=SHELF, limits=LIMITS, chance=CHANCE)
def test_edits_and_deletions_by_two_sources_at_any_time_lose_double_and_oversell_nothing(
    village: Village, words: list[Word], changes: list[tuple[int, str | None]], packs: dict[str, int],
    limits: dict[str, int], chance: random.Random,
) -> None:  # fmt: skip
    world = World(village, packs, limits)
    said = [world.said(word) for word in words] + [
        world.changed(words[place % len(words)], 20 + second, text) for second, (place, text) in enumerate(changes)
    ]
    said += [one for one in said if chance.random() < 0.3]
    chance.shuffle(said)
    world.read(cut(said, chance), chance)
    assert {row.comment_id for row in world.comments()} == {one.id for one in said}
    assert world.faults() == world.beyond() == []


def test_of_comments_said_at_one_moment_the_one_that_came_first_is_first(village: Village) -> None:
    world = World(village, {"MD01": 1})
    world.hear([Word(1, "lan", "md01"), Word(1, "hoa", "md01"), Word(0, "mai", "đẹp quá")])
    made = {word.author: told[-1][0] for word, told in world.decided().items()}
    assert made == {"mai": "ignored", "lan": "order", "hoa": "waitlist"}


@pytest.mark.parametrize("again", (1, 2))
def test_a_comment_that_comes_after_later_ones_is_decided_with_what_is_left(village: Village, again: int) -> None:
    world = World(village, {"MD01": 1})
    early, late = Word(1, "lan", "md01"), Word(2, "hoa", "md01")
    world.hear([late], *([early] for _ in range(again)))
    found = world.decided()
    assert (found[late][-1][0], found[early][-1][0]) == ("order", "waitlist")
    flags = {row.author_id: [each.late for each in row.decisions] for row in world.comments()}
    assert flags == {"hoa": [False], "lan": [True]}
