"""The public pages that draw each process, and `flask processes check`."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from batches.processes.catalogue import versions
from batches.processes.cli import is_checking, processes
from batches.processes.drawing import Drawing, draw, numbered, wrapped
from batches.processes.loader import FOLDER
from batches.processes.models import Process
from village.settings import ROOT

EACH = [process for each in versions().values() for process in each.values()]


def drawn(process: Process) -> Drawing:
    return draw(process, lambda text: text.vi)


@pytest.mark.parametrize("process", EACH, ids=lambda process: f"{process.key}/{process.version}")
def test_every_material_and_every_stage_of_the_usual_way_is_in_the_picture(process: Process) -> None:
    picture = drawn(process)
    names = [" ".join(mark.label.lines) for mark in picture.marks if not mark.key]
    assert sorted(names) == sorted(material.name.vi for material in process.materials)
    stages = {mark.key for mark in picture.marks if mark.key}
    looks = {stage.key for stage in process.stages if stage.kind.value == "observe"}
    buys = {stage.key for stage in process.stages if stage.kind.value == "buy"}
    usual = {stage.key for stage in process.stages if not stage.rare}
    assert stages == (usual - looks) | buys


@pytest.mark.parametrize("process", EACH, ids=lambda process: f"{process.key}/{process.version}")
def test_nothing_is_drawn_outside_of_the_picture_or_over_another_thing(process: Process) -> None:
    picture = drawn(process)
    for mark in picture.marks:
        assert 12 <= mark.x <= picture.width - 12 and 0 <= mark.y <= picture.height
        for line in mark.label.lines:
            # A letter is seven units wide at the most.
            wide = 7 * len(line)
            left = mark.label.x - {"start": 0, "middle": wide // 2, "end": wide}[mark.label.anchor]
            assert left >= 0 and left + wide <= picture.width + 8, line
    for place, one in enumerate(picture.marks):
        for other in picture.marks[place + 1 :]:
            assert abs(one.x - other.x) >= 40 or abs(one.y - other.y) >= 40, (one, other)
    for thread in picture.threads:
        places = [int(number) for number in re.findall(r"-?\d+", thread.path)]
        assert all(0 <= x <= picture.width for x in places[::2]) and all(0 <= y <= picture.height for y in places[1::2])


def test_the_strand_runs_from_the_field_below_to_the_pack_above() -> None:
    process = versions()["mien-dong"][2]
    strand = [mark for mark in drawn(process).marks if not mark.aside]
    assert [mark.y for mark in strand] == sorted((mark.y for mark in strand), reverse=True)
    assert (strand[0].key, strand[-1].key) == ("harvest", "dispatch")
    assert [mark.key for mark in strand if mark.key] == [
        "harvest", "settle", "steam", "rest", "cut", "dry", "inspect", "pack", "dispatch",
    ]  # fmt: skip


def test_a_name_is_broken_between_words_only() -> None:
    assert wrapped("Bán hoặc cho bã", 8) == ("Bán hoặc", "cho bã")
    assert wrapped("nghiêng", 3) == ("nghiêng",)


def test_every_picture_that_a_process_names_is_drawn() -> None:
    named: set[str] = set()
    for process in EACH:
        named |= {one.picture for one in process.materials} | {one.picture for one in process.stages}
        named |= {one.picture for stage in process.stages for one in stage.reasons}
    files = {path.stem: path for path in (ROOT / "static" / "pictures").glob("*.svg")}
    assert named <= set(files)
    assert all(files[name].stat().st_size <= 1536 for name in named)


def test_anybody_reads_how_each_thing_is_made(client: FlaskClient) -> None:
    home = client.get("/processes").text
    for process in EACH:
        page = client.get(f"/processes/{process.key}/{process.version}").text
        assert f'href="/processes/{process.key}"' in home
        for key, number in numbered(process).items():
            assert f'id="{key}"' in page and f"{number}. {process.stage(key).name.vi}" in page
        assert 'role="img"' in page and "style=" not in page
    assert client.get("/processes/mien-dong", headers={"Accept-Language": "en"}).status_code == 200


def test_the_bounds_are_told_in_words_and_older_versions_are_linked(client: FlaskClient) -> None:
    page = client.get("/processes/mien-dong").text.replace("\u00a0", " ")
    assert "Từ 100 kg củ dong riềng thường được 9 đến 16 kg miến khô, không khi nào quá 20 kg." in page
    assert "Cứ 100 kg đem làm thường có thêm 30 đến 80 kg bã dong riềng, không khi nào quá 150 kg." in page
    assert 'href="/processes/mien-dong/1"' in page
    older = client.get("/processes/mien-dong/1").text
    assert "Nay làm theo bản 3" in older and 'href="/processes/mien-dong/3"' in older and "bã dong riềng" not in older


@pytest.mark.parametrize("address", ["/processes/mien-dong/0", "/processes/mien-dong/99", "/processes/banh-chung"])
def test_a_process_that_is_not_there_is_not_found(client: FlaskClient, address: str) -> None:
    assert client.get(address).status_code == 404


def test_the_check_tells_every_fault_with_its_line(tmp_path: Path) -> None:
    text = (FOLDER / "mien-dong" / "2.yaml").read_text("utf-8")
    for right, wrong in (("suffix: C}", "suffix: G}"), ("kind: pack", "kind: parcel"), ("usual: [9, 16]", "usual: 9")):
        text = text.replace(right, wrong)
    (tmp_path / "mien-dong").mkdir()
    file = tmp_path / "mien-dong" / "2.yaml"
    file.write_text(text, "utf-8")
    found = CliRunner().invoke(processes, ["check", str(file)])
    assert found.exit_code == 1
    lines = found.output.splitlines()
    assert len(lines) == 2, "the suffixes are compared once every piece can be read"
    assert all(re.match(r"mien-dong/2\.yaml, line \d+: ", line) for line in lines)
    assert "'parcel' is not known" in lines[0] and "expected a list" in lines[1]
    file.write_text(text.replace("kind: parcel", "kind: pack").replace("usual: 9,", "usual: [9, 16],"), "utf-8")
    assert "the suffix G was used on line" in CliRunner().invoke(processes, ["check", str(file)]).output


def test_the_check_of_all_files_finds_nothing_wrong() -> None:
    found = CliRunner().invoke(processes, ["check"])
    assert (found.exit_code, found.output) == (0, f"{len(EACH)} process files looked at, nothing wrong.\n")
    missing = CliRunner().invoke(processes, ["check", "no/such.yaml"])
    assert missing.exit_code == 1 and "cannot be read" in missing.output


def test_only_the_check_starts_with_a_process_file_that_is_wrong() -> None:
    assert is_checking(["flask", "--app", "wsgi", "processes", "check"])
    assert not is_checking(["flask", "processes"]) and not is_checking(["flask", "check", "processes"])
