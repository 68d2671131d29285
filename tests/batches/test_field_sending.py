"""Sending against a village that loses, refuses and dies: every record is recorded once, each after what it uses."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from village.settings import ROOT

FAULTS: dict[str, dict[str, float]] = {
    "fair weather": {},
    "lost on the way there": {"lostThere": 0.5},
    "every second answer lost": {"lostBack": 0.5},
    "a server in trouble": {"trouble": 0.5},
    "cafés and proxies": {"strange": 0.4},
    "refusals": {"refused": 0.3},
    "all at once": {"lostThere": 0.2, "lostBack": 0.3, "trouble": 0.2, "strange": 0.1, "refused": 0.2},
}
NONE = {"lostThere": 0, "lostBack": 0, "trouble": 0, "strange": 0, "refused": 0}


def played(stories: list[dict[str, Any]]) -> list[dict[str, Any]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; `make test` installs it on Debian")
    script = str(ROOT / "tests" / "support" / "sync.mjs")
    lines = "".join(f"{json.dumps(one)}\n" for one in stories)
    done = subprocess.run([node, script], input=lines, capture_output=True, text=True, check=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("weather", FAULTS)
def test_every_record_is_recorded_once_and_after_what_it_uses(weather: str) -> None:
    stories = [{"seed": seed, "count": 25, "faults": NONE | FAULTS[weather]} for seed in range(40)]
    for told in played(stories):
        assert sorted(told["order"]) == sorted(told["mine"]), told["rounds"]
        assert told["same"] and told["waits"] and told["early"] == 0
        # Another member's records were not touched.
        assert told["untouched"]
        place = {event: n for n, event in enumerate(told["order"])}
        needs = [(event, set(batches)) for event, batches in told["needs"] if event in place]
        for number, (event, batches) in enumerate(needs):
            for before, others in needs[:number]:
                assert not batches & others or place[before] < place[event]


def test_without_faults_nothing_is_sent_twice() -> None:
    (told,) = played([{"seed": 7, "count": 40, "faults": NONE}])
    assert told["sent"] == len(told["mine"]) and told["rounds"] <= 4


def test_a_new_record_waits_until_its_owner_may_no_longer_take_it_back_or_says_send() -> None:
    stories = played([{"seed": seed, "count": 10, "faults": NONE} for seed in range(40)])
    assert all(told["early"] == 0 for told in stories)
    assert any(told["hurried"] for told in stories)
    assert all(told["hurried"] or told["time"] <= 8_001 for told in stories), "and no longer than that"


def test_pauses_grow_up_to_five_minutes() -> None:
    (told,) = played([{"seed": 1, "count": 1, "faults": NONE}])
    assert told["pauses"] == [1500, 3000, 48_000, 225_000]
