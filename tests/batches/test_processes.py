import re
from pathlib import Path

import pytest

from batches.processes.loader import FOLDER, ProcessFileError, load_all, parse
from batches.processes.models import Bounds, Kind, Process

PROCESSES = load_all()
NOODLES = (FOLDER / "mien-dong.yaml").read_text("utf-8")


def test_the_village_makes_noodles_tea_and_rice() -> None:
    assert sorted(PROCESSES) == ["che-tam-duong", "gao-seng-cu", "mien-dong"]


@pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: process.key)
def test_every_process_leads_from_the_field_to_a_pack_on_its_way(process: Process) -> None:
    reached: set[str] = set()
    waiting = [stage.output for stage in process.next_stages(None)]
    while waiting:
        material = waiting.pop()
        if material is not None and material not in reached:
            reached.add(material)
            waiting += [stage.output for stage in process.next_stages(material)]
    assert reached == {material.key for material in process.materials}
    assert [stage.kind for stage in process.stages][-3:] == [Kind.INSPECT, Kind.PACK, Kind.DISPATCH]
    assert process.stages[0].kind is Kind.COMMISSION


@pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: process.key)
def test_each_question_is_asked_and_each_story_told(process: Process) -> None:
    for stage in process.stages:
        assert stage.ask.vi.endswith("?") and stage.ask.en.endswith("?")
        assert stage.story.vi.endswith(".") and stage.story.en.endswith(".")
        assert "!" not in stage.ask.vi + stage.story.vi
    suffixes = [material.suffix for material in process.materials]
    assert len(set(suffixes)) == len(suffixes)


def test_the_noodles_bounds_are_those_of_the_trade() -> None:
    process = PROCESSES["mien-dong"]
    assert process.stage("settle").yields["tuber"] == Bounds(1800, 3200, 4500)
    overall = {(rule.material, rule.origin): rule.bounds for rule in process.overall}
    assert overall["noodles", "tuber"] == Bounds(900, 1600, 2000)
    assert overall["noodles", "dry-starch"] == Bounds(10000, 11700, 12500)
    assert overall["dry-starch", "tuber"] == Bounds(1200, 1600, 2500)
    moisture = process.stage("dry").reading("Moisture")
    assert moisture is not None and moisture.required and moisture.limit == 14


def test_wet_starch_goes_to_the_steamer_or_is_dried_for_later() -> None:
    process = PROCESSES["mien-dong"]
    assert [stage.key for stage in process.next_stages("wet-starch")] == [
        "settle-check",
        "dry-starch",
        "steam",
    ]
    assert [stage.key for stage in process.next_stages("dry-starch")] == ["steam"]
    assert [stage.key for stage in process.next_stages(None)] == ["harvest"]
    with pytest.raises(KeyError, match="no stage 'fly'"):
        process.stage("fly")


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("version: 1", "version: one", "version: one", "whole number"),
        ("version: 1", "version: 1\nversion: 2", "version: 2", "second time"),
        ("version: 1", "version: 1\ncolour: red", "colour: red", "'colour' means nothing here"),
        ("shelf_life_months: 12\n", "", "", "'shelf_life_months' is missing"),
        ("    kind: commission", "    kind: magic", "kind: magic", "choose one of commission"),
        ("    output: tuber", "    output: potato", "output: potato", "no material 'potato'"),
        ("    output: tuber", "    output: tuber\n    inputs: [pulp]", "key: harvest", "takes no inputs"),
        ("usual: [18, 32], hard_max: 45}", "usual: [32, 18], hard_max: 45}", "[32, 18]", "bounds must rise"),
        ("usual: [18, 32], hard_max: 45}", "usual: [18], hard_max: 45}", "usual: [18]", "[low, high]"),
        ("      pulp: {usual: [18, 38], hard_max: 53}\n", "", "tuber: {usual: [18, 32]", "'pulp' is missing"),
        ("biz_step: shipping", "biz_step: teleporting", "teleporting", "'teleporting' is not known"),
        ("unit: P1", "unit: percent", "unit: percent", "no unit code"),
        ("name: {vi: Miến dong,", "name: {vi: '',", "vi: ''", "empty"),
        ("key: harvest", "key: settle", "key: settle\n    kind: transform", "was used on line"),
        ("suffix: G", "suffix: gói", "suffix: gói", "no suffix"),
        ("stages:", "stages:\n\t- x", "\t- x", "not YAML"),
        ("max_pack_loss: 2", "max_pack_loss: .inf", ".inf", "plain number"),
        ("max_pack_loss: 2", "max_pack_loss: !!python/name:os.system x", "os.system", "a number"),
    ],
)
def test_a_mistake_in_a_process_file_is_named_with_its_line(old: str, new: str, at: str, says: str) -> None:
    assert old in NOODLES
    text = NOODLES.replace(old, new, 1)
    with pytest.raises(ProcessFileError, match=re.escape(says)) as caught:
        parse(text, "mien-dong.yaml")
    assert str(caught.value).startswith(f"mien-dong.yaml, line {caught.value.line}: ")
    if at:
        assert caught.value.line == text[: text.index(at)].count("\n") + 1


@pytest.mark.parametrize("text", ["", "# nothing", "- a list", "just words", "a: [", "\x00"])
def test_a_file_that_is_no_process_is_refused(text: str) -> None:
    with pytest.raises(ProcessFileError, match="line 1"):
        parse(text, "x.yaml")


def test_a_file_is_called_after_its_process() -> None:
    with pytest.raises(ProcessFileError, match=r"call the file mien-dong\.yaml"):
        parse(NOODLES, "noodles.yaml")


def test_a_file_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes("name: Miến".encode("utf-16"))
    with pytest.raises(ProcessFileError, match="UTF-8"):
        load_all(tmp_path)
