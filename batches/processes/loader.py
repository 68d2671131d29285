"""Process files (`<key>/<version>.yaml` beside this file) read into frozen values, and checked as a whole."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from batches.processes import fields as read
from batches.processes import whole
from batches.processes.models import Material, Overall, Process, Stage
from batches.processes.nodes import Faults, Fields, ProcessFileError, Value, root
from batches.processes.stages import stage

__all__ = ["FOLDER", "ProcessFileError", "faults_in", "faults_of", "load", "load_all", "parse"]

FOLDER = Path(__file__).parent
_Keyed = TypeVar("_Keyed", Material, Stage)


def load_all(folder: Path = FOLDER) -> dict[str, dict[int, Process]]:
    """Every version of every process under `folder`, by key and number. Raises the first `ProcessFileError`."""
    found: dict[str, dict[int, Process]] = {}
    for path in _files(folder):
        process = load(path)
        found.setdefault(process.key, {})[process.version] = process
    for fault in _between(found):
        raise fault
    return {key: dict(sorted(numbered.items())) for key, numbered in found.items()}


def load(path: Path) -> Process:
    """The process in one file. Raises the first `ProcessFileError`."""
    process, faults = _look(path)
    for fault in faults:
        raise fault
    assert process is not None
    return process


def parse(text: str, file: str) -> Process:
    """The process written in `text`, for a file `<key>/<version>.yaml`. Raises the first `ProcessFileError`."""
    process, faults = _read(text, file)
    for fault in faults:
        raise fault
    assert process is not None
    return process


def faults_in(path: Path) -> list[ProcessFileError]:
    """Everything that is wrong with one file, by line."""
    return _look(path)[1]


def faults_of(folder: Path = FOLDER) -> list[ProcessFileError]:
    """Everything that is wrong with the files under `folder`, and between them."""
    faults: list[ProcessFileError] = []
    found: dict[str, dict[int, Process]] = {}
    for path in _files(folder, faults.append):
        process, wrong = _look(path)
        faults += wrong
        if process is not None:
            found.setdefault(process.key, {})[process.version] = process
    return faults or list(_between(found))


def _files(folder: Path, stray: Callable[[ProcessFileError], object] | None = None) -> Iterator[Path]:
    for path in sorted(folder.glob("*.yaml")):
        error = ProcessFileError(path.name, 1, f"a process has a folder of its own; call it {path.stem}/1.yaml.")
        if stray is None:
            raise error
        stray(error)
    yield from sorted(folder.glob("*/*.yaml"))


def _look(path: Path) -> tuple[Process | None, list[ProcessFileError]]:
    file = "/".join(path.absolute().parts[-2:])
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return None, [ProcessFileError(file, 1, "the file is not UTF-8; save it as UTF-8.")]
    except OSError as error:
        return None, [ProcessFileError(file, 1, f"the file cannot be read: {error.strerror}.")]
    return _read(text, file)


def _read(text: str, file: str) -> tuple[Process | None, list[ProcessFileError]]:
    faults = Faults()
    process = None
    with faults.noted():
        process = _process(root(text, file), file, faults)
    return process, faults.sorted()


def _process(value: Value, file: str, faults: Faults) -> Process | None:
    top = value.mapping()
    with faults.noted():
        key = read.key(top.take("key"))
        version = top.take("version").integer()
        if file != f"{key}/{version}.yaml":
            raise top.take("key").error(f"the file's name says otherwise; call the file {key}/{version}.yaml.")
    with faults.noted():
        name = read.words(top.take("name"))
    with faults.noted():
        months = top.take("shelf_life_months").integer()
    with faults.noted():
        loss = top.take("max_pack_loss").percent()
    a_day = None
    with faults.noted():
        a_day = maybe.integer() if (maybe := top.maybe("usual_a_day")) else None
    before = len(faults.found)
    materials: list[tuple[Value, Material]] = []
    for item in _items(top, "materials", faults):
        with faults.noted():
            materials.append((item, read.material(item)))
    known = {material.key: material for _, material in materials}
    # With a material missing, every stage that names it would be told to be wrong, too.
    all_known = len(faults.found) == before
    stages: list[tuple[Value, Stage]] = []
    for item in _items(top, "stages", faults):
        if all_known and (one := stage(item, known, faults)):
            stages.append((item, one))
    overall: list[tuple[Value, Overall]] = []
    for item in _items(top, "overall", faults) if top.maybe("overall") else []:
        with faults.noted():
            overall += [(item, _overall(item, known))] if all_known else []
    faults.found += top.strangers()
    faults.found += _used_twice(materials)
    faults.found += _used_twice(stages)
    if not faults.found:
        faults.found += whole.faults(materials, stages, overall)
    if faults.found:
        return None
    return Process(
        key, version, name, months,
        tuple(one for _, one in materials), tuple(one for _, one in stages), tuple(one for _, one in overall),
        loss, a_day,
    )  # fmt: skip


def _items(top: Fields, name: str, faults: Faults) -> list[Value]:
    with faults.noted():
        return top.take(name).items()
    return []


def _overall(value: Value, known: dict[str, Material]) -> Overall:
    fields = value.mapping()
    material = read.known_material(fields.take("material"), known)
    origin = read.known_material(fields.take("origin"), known)
    bounds = read.bounds(fields.take("bounds"))
    fields.done()
    return Overall(material, origin, bounds)


def _used_twice(pairs: list[tuple[Value, _Keyed]]) -> Iterator[ProcessFileError]:
    seen: dict[str, int] = {}
    for value, thing in pairs:
        if thing.key in seen:
            yield value.error(f"the key {thing.key!r} was used on line {seen[thing.key]}; choose another.")
        seen.setdefault(thing.key, value.line)


def _between(found: dict[str, dict[int, Process]]) -> Iterator[ProcessFileError]:
    """What is wrong between the versions of a process."""
    for key, numbered in found.items():
        units: dict[str, tuple[int, str]] = {}
        for place, version in enumerate(sorted(numbered), start=1):
            file = f"{key}/{version}.yaml"
            if version != place:
                yield ProcessFileError(file, 1, f"version {place} is missing; batches may have begun under it.")
                break
            for material in numbered[version].materials:
                first, unit = units.setdefault(material.key, (version, material.unit))
                if unit != material.unit:
                    yield ProcessFileError(
                        file, 1,
                        f"{material.key!r} was in {unit} in version {first}; give what is in {material.unit}"
                        " another key.",
                    )  # fmt: skip
