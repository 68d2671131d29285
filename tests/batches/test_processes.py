import hashlib
import re
from pathlib import Path

import pytest

from batches.processes.catalogue import all_processes, process_of
from batches.processes.loader import FOLDER, ProcessFileError, faults_of, load_all, parse
from batches.processes.models import Bounds, Kind, Process

VERSIONS = load_all()
PROCESSES = {f"{one.key}/{one.version}": one for numbered in VERSIONS.values() for one in numbered.values()}
RELEASED: dict[str, str] = {
    "che-tam-duong/1": "50db005ffecc98dfbca7",
    "che-tam-duong/2": "0affdb73d57bd97c7e09",
    "gao-seng-cu/1": "53461ff8c2320f4f1756",
    "gao-seng-cu/2": "690d8cf3e6f6f4090e6c",
    "khoai-sam-say/1": "53e2a4d7a2e54d17090b",
    "mien-dong/1": "e3fb71c3748d4e779dc7",
    "mien-dong/2": "0f37664b79211bfd5a3a",
    "mien-dong/3": "ac08d0fa8004d9811363",
}
"""Begin of each released file's SHA-256."""
NOODLES = (FOLDER / "mien-dong" / "1.yaml").read_text("utf-8")


def test_the_village_makes_noodles_tea_rice_and_dried_yacon() -> None:
    assert sorted(VERSIONS) == ["che-tam-duong", "gao-seng-cu", "khoai-sam-say", "mien-dong"]
    assert {key: one.version for key, one in all_processes().items()} == {
        "che-tam-duong": 2, "gao-seng-cu": 2, "khoai-sam-say": 1, "mien-dong": 3,
    }


def test_a_released_version_never_changes() -> None:
    """A batch goes on under the version that it began with: a change is a new file, and a new line here."""
    digests = {
        f"{path.parent.name}/{path.stem}": hashlib.sha256(path.read_bytes()).hexdigest()[:20]
        for path in sorted(FOLDER.glob("*/*.yaml"))
    }
    assert digests == RELEASED


def test_a_batch_keeps_the_version_that_it_began_with() -> None:
    assert process_of("mien-dong", 1).rarer("packs") == ()
    assert [stage.key for stage in process_of("mien-dong", 2).rarer("packs")] == ["lose", "case", "uncase"]
    with pytest.raises(KeyError, match="mien-dong/99"):
        process_of("mien-dong", 99)


@pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: f"{process.key}/{process.version}")
def test_every_process_leads_from_the_field_to_a_pack_on_its_way(process: Process) -> None:
    reached: set[str] = set()
    waiting = [given for stage in process.next_stages(None) for given in stage.gives]
    while waiting:
        material = waiting.pop()
        if material not in reached:
            reached.add(material)
            waiting += [given for stage in process.next_stages(material) for given in stage.gives]
    assert reached == {material.key for material in process.materials}
    usual = [stage for stage in process.stages if not stage.rare]
    to_the_buyer = [stage for stage in usual if stage.kind is not Kind.DISPATCH or "packs" in stage.inputs]
    assert [stage.kind for stage in to_the_buyer][-3:] == [Kind.INSPECT, Kind.PACK, Kind.DISPATCH]
    assert process.way()[-1].unit == "packs"
    assert process.stages[0].kind is Kind.COMMISSION


@pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: f"{process.key}/{process.version}")
def test_each_question_is_asked_and_each_story_told(process: Process) -> None:
    for stage in process.stages:
        assert stage.ask.vi.endswith("?") and stage.ask.en.endswith("?")
        assert stage.story.vi.endswith(".") and stage.story.en.endswith(".")
        assert "!" not in stage.ask.vi + stage.story.vi
    suffixes = [material.suffix for material in process.materials]
    assert len(set(suffixes)) == len(suffixes)


def test_the_noodles_bounds_are_those_of_the_trade() -> None:
    process = VERSIONS["mien-dong"][1]
    assert process.stage("settle").yields["tuber"] == Bounds(1800, 3200, 4500)
    overall = {(rule.material, rule.origin): rule.bounds for rule in process.overall}
    assert overall["noodles", "tuber"] == Bounds(900, 1600, 2000)
    assert overall["noodles", "dry-starch"] == Bounds(10000, 11700, 12500)
    assert overall["dry-starch", "tuber"] == Bounds(1200, 1600, 2500)
    moisture = process.stage("dry").reading("Moisture")
    assert moisture is not None and moisture.required and moisture.limit == 14


def test_wet_starch_goes_to_the_steamer_or_is_dried_for_later() -> None:
    process = VERSIONS["mien-dong"][1]
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
        ("    kind: commission", "    kind: magic", "kind: magic", "choose one of"),
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
        parse(text, "mien-dong/1.yaml")
    assert str(caught.value).startswith(f"mien-dong/1.yaml, line {caught.value.line}: ")
    if at:
        assert caught.value.line == text[: text.index(at)].count("\n") + 1


@pytest.mark.parametrize("text", ["", "# nothing", "- a list", "just words", "a: [", "\x00"])
def test_a_file_that_is_no_process_is_refused(text: str) -> None:
    with pytest.raises(ProcessFileError, match="line 1"):
        parse(text, "x/1.yaml")


def test_a_file_is_called_after_its_process() -> None:
    with pytest.raises(ProcessFileError, match=r"call the file mien-dong/1\.yaml"):
        parse(NOODLES, "noodles/1.yaml")


def test_a_file_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "1.yaml").write_bytes("name: Miến".encode("utf-16"))
    with pytest.raises(ProcessFileError, match="UTF-8"):
        load_all(tmp_path)


NEWEST = (FOLDER / "mien-dong" / "3.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("usual_a_day: 150000", "usual_a_day: 150 kg", "usual_a_day: 150 kg", "whole number"),
        ("per_hectare: [40000000, 80000000]", "per_hectare: [80000000, 40000000]", "per_hectare: [8", "is above"),
        ("    picture: settle\n", "    picture: settle\n    per_hectare: [1, 2]\n", "key: settle\n", "on no field"),
    ],
)
def test_figures_for_the_office_are_read_as_strictly(old: str, new: str, at: str, says: str) -> None:
    assert old in NEWEST
    text = NEWEST.replace(old, new, 1)
    with pytest.raises(ProcessFileError, match=re.escape(says)) as caught:
        parse(text, "mien-dong/3.yaml")
    assert caught.value.line == text[: text.index(at)].count("\n") + 1


NEWER = (FOLDER / "mien-dong" / "2.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("suffix: X}", "suffix: C}", "suffix: C}\n\nstages", "the suffix C was used on line"),
        ("material: residue, bounds", "material: tuber, bounds", "material: tuber, bounds", "already; remove one"),
        ("    byproducts:\n      - {material: residue, bounds: {usual: [30, 80], hard_max: 150}}\n", "",
         "key: residue", "no stage gives the material 'residue'"),
        ("kind: lose\n", "kind: observe\n", "- {key: spilt", "only a stage of kind lose has this, not observe"),
        ("key: spoilt,", "key: spilt,", "- {key: spilt", "stands here twice"),
        ("    kind: case", "    kind: split", "key: case", "cannot take 'packs', which is in packs"),
        ("    inputs: [packs]\n    biz_step: unpacking", "    inputs: [noodles]\n    biz_step: unpacking",
         "key: uncase", "cannot take 'noodles', which is in grams"),
        ("    kind: merge", "    kind: split", "key: merge", "the stages 'split' (line"),
        ("key: buy-wet-starch\n    kind: buy", "key: buy-wet-starch\n    kind: commission", "key: buy-wet-starch", ""),
        ("      sheets: {usual", "      noodles: {usual: [1, 2], hard_max: 3}\n      sheets: {usual",
         "{usual: [1, 2], hard_max: 3}", "the yield of 'noodles' is told, but this stage does not take it"),
        ("{material: noodles, origin: wet-starch", "{material: wet-starch, origin: noodles",
         "{material: wet-starch, origin: noodles", "is not made from 'noodles'"),
        ("{material: noodles, origin: wet-starch", "{material: noodles, origin: tuber",
         "{material: noodles, origin: tuber, bounds: {usual: [45", "stand on line"),
        ("{vi: Chia mẻ, en: Split}", "{vi: Chia mẻ, en: Split, xx: Chia}", "{vi: Chia mẻ", "'xx' means nothing here"),
        ("    inputs: [residue]", "    inputs: [packs]", "key: sell-residue", "do the same with 'packs'"),
        ("version: 2", "version: 3", "key: mien-dong", "call the file mien-dong/3.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_between_the_pieces_is_named_with_its_line(old: str, new: str, at: str, says: str) -> None:
    assert old in NEWER
    text = NEWER.replace(old, new, 1)
    if not says:
        assert parse(text, "mien-dong/2.yaml").stage("buy-wet-starch").kind is Kind.COMMISSION
        return
    with pytest.raises(ProcessFileError, match=re.escape(says)) as caught:
        parse(text, "mien-dong/2.yaml")
    assert caught.value.line == text[: text.index(at)].count("\n") + 1


def test_a_circle_and_a_stage_that_nothing_leads_to_are_named() -> None:
    back = "    inputs: [rested-sheets]\n    output: "
    circle = NEWER.replace(f"{back}strands", f"{back}tuber").replace("    output: tuber", "    output: strands", 1)
    with pytest.raises(ProcessFileError, match="is made from itself, round in a circle"):
        parse(circle, "mien-dong/2.yaml")
    words = "name: {vi: a, en: a}, ask: {vi: a, en: a}, story: {vi: a, en: a}, picture: split, biz_step: other"
    bounds = "{usual: [1, 2], hard_max: 3}"
    stages = (
        f"  - {{key: turn, kind: split, inputs: [lost], {words}}}\n"
        f"  - {{key: find, kind: transform, inputs: [found], output: lost, yields: {{found: {bounds}}}, {words}}}\n"
        f"  - {{key: hide, kind: transform, inputs: [lost], output: found, yields: {{lost: {bounds}}}, {words}}}\n"
    )
    materials = "".join(
        f"  - {{key: {key}, name: {{vi: a, en: a}}, unit: grams, picture: a, suffix: {suffix}}}\n"
        for key, suffix in (("lost", "Y"), ("found", "Z"))
    )
    island = NEWER.replace("  - key: split\n", f"{stages}  - key: split\n")
    island = island.replace("\nstages:", f"{materials}\nstages:")
    with pytest.raises(ProcessFileError, match="nothing leads to the stage 'turn'"):
        parse(island, "mien-dong/2.yaml")


def test_words_in_the_villages_other_languages_are_kept() -> None:
    # Placeholders: whoever speaks the language gives its words.
    text = NEWER.replace("{vi: Chia mẻ, en: Split}", "{vi: Chia mẻ, en: Split, blt: x, hmn: y}")
    name = parse(text, "mien-dong/2.yaml").stage("split").name
    assert (dict(name.others), name.in_("vi"), name.in_("en")) == ({"blt": "x", "hmn": "y"}, "Chia mẻ", "Split")


def put(folder: Path, version: int, text: str) -> None:
    (folder / "mien-dong").mkdir(exist_ok=True)
    (folder / "mien-dong" / f"{version}.yaml").write_text(text, "utf-8")


def test_versions_are_counted_without_a_gap(tmp_path: Path) -> None:
    put(tmp_path, 2, NEWER)
    with pytest.raises(ProcessFileError, match=r"mien-dong/2\.yaml, line 1: version 1 is missing"):
        load_all(tmp_path)
    put(tmp_path, 1, NOODLES)
    assert list(load_all(tmp_path)["mien-dong"]) == [1, 2]
    assert faults_of(tmp_path) == []
    (tmp_path / "stray.yaml").write_text(NOODLES, "utf-8")
    assert [str(fault) for fault in faults_of(tmp_path)] == [
        "stray.yaml, line 1: a process has a folder of its own; call it stray/1.yaml."
    ]
