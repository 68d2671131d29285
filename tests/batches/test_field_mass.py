"""The phone's rules of mass against the village's, on random cases: it must never refuse what the village accepts."""

import json
import random
import shutil
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from batches.field.pack import process_answer
from batches.mass import Measured, Portion, judge
from batches.processes.catalogue import all_processes
from batches.processes.models import Kind, Process, Stage
from village.settings import ROOT

CASES = 2000


def told_by_the_phone(cases: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed; `make test` installs it on Debian")
    lines = "".join(f"{json.dumps(case)}\n" for case in cases)
    script = str(ROOT / "tests" / "support" / "mass.mjs")
    done = subprocess.run([node, script], input=lines, capture_output=True, text=True, check=True, timeout=60)
    return (json.loads(line) for line in done.stdout.splitlines())


def some_grams(chance: random.Random) -> int:
    """From nothing to the most that a request may say, mostly what households have."""
    few, many, most = (1, 10**4), (1, 10**7), (10**11, 10**12)
    return chance.choice((0, 1, *(chance.randrange(*span) for span in (few, many, most))))


def portion(chance: random.Random, process: Process, stage: Stage) -> Portion:
    keys = [one.key for one in process.materials]
    material = chance.choice(list(stage.inputs) or keys) if chance.random() < 0.9 else chance.choice(keys)
    grams = some_grams(chance)
    origins = {key: some_grams(chance) for key in keys if key != material and chance.random() < 0.3}
    if len(keys) > 2 and chance.random() < 0.2:
        origins[f"{keys[0]}?{keys[2]}"] = some_grams(chance)
    return Portion(material, grams, origins, chance.choice((None, chance.randrange(0, 9000))))


def near(chance: random.Random, taken: int) -> int:
    """An amount that could come of so much."""
    return chance.choice((some_grams(chance), int(taken * chance.uniform(0, 2.5)), taken, taken * 98 // 100))


def case(chance: random.Random) -> tuple[Process, Stage, list[Portion], dict[str, Any]]:
    process = chance.choice(list(all_processes().values()))
    stage = chance.choice(process.stages)
    inputs = [portion(chance, process, stage) for _ in range(chance.choice((0, 1, 1, 1, 2, 3)) if stage.inputs else 0)]
    taken = sum(one.grams for one in inputs) or some_grams(chance)
    net = chance.choice((None, 500, 1000))
    readings = [
        {
            "type": need.type,
            "value": round(chance.uniform(float(need.low) - 5, float(need.high) + 5), chance.choice((0, 1, 3))),
            "unit": chance.choice((need.unit, need.unit, need.unit, "KGM")),
        }
        for need in stage.readings
        if chance.random() < 0.8
    ]
    more = {
        "grams": chance.choice((None, near(chance, taken), near(chance, taken))),
        "units": chance.choice((None, 0, near(chance, taken) // (net or 500))) if stage.kind is Kind.PACK else None,
        "net": net,
        "readings": readings,
        "byproducts": {one.material: near(chance, taken) for one in stage.byproducts if chance.random() < 0.5},
        "parts": chance.choice((1, 2, 3)) if stage.kind in (Kind.SPLIT, Kind.MERGE) else None,
    }
    return process, stage, inputs, more


def test_the_phone_finds_what_the_village_finds() -> None:
    chance = random.Random(20261122)
    cases = [case(chance) for _ in range(CASES)]
    sent = [
        {
            "process": process_answer(process, newest=True),
            "stage": stage.key,
            "inputs": [
                {"material": p.material, "grams": p.grams, "origins": p.origins, "moisture": p.moisture} for p in inputs
            ],
            "more": more,
        }
        for process, stage, inputs, more in cases
    ]
    refused = doubted = 0
    for (process, stage, inputs, more), told in zip(cases, told_by_the_phone(sent), strict=True):
        readings = [Measured(one["type"], Decimal(str(one["value"])), one["unit"]) for one in more["readings"]]
        found = judge(
            process, stage, inputs, more["grams"], more["units"], more["net"], readings,
            byproducts=more["byproducts"], parts=more["parts"],
        )  # fmt: skip
        wanted = [{"severity": one.severity, "slug": one.slug, "params": comparable(one.params)} for one in found]
        assert [one | {"params": comparable(one["params"])} for one in told] == wanted, (process.key, stage.key, more)
        refused += any(one.severity == "refuse" for one in found)
        doubted += any(one.severity == "doubt" for one in found)
    assert refused > CASES // 10 and doubted > CASES // 20


def comparable(params: Any) -> dict[str, Any]:
    """Params with numbers as text in one spelling."""
    return {
        name: float(value) if name in ("value", "low", "high", "limit") and value != "" else value
        for name, value in params.items()
    }
