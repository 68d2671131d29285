"""Reading YAML with the place of each value kept, so that an error can name its line."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml

_NULL, _BOOL, _INT, _FLOAT, _STR = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")
)


class ProcessFileError(ValueError):
    """A process file that cannot be used: which file, which line, what is wrong and what to do."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}, line {line}: {problem}")
        self.file, self.line, self.problem = file, line, problem


class Faults:
    """What is wrong with a file, gathered while it is read on: one reading tells all of it."""

    def __init__(self) -> None:
        self.found: list[ProcessFileError] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Read one piece; if it is wrong, note that and go on after it."""
        try:
            yield
        except ProcessFileError as error:
            self.found.append(error)

    def sorted(self) -> list[ProcessFileError]:
        """By line."""
        return sorted(self.found, key=lambda one: one.line)


class Value:
    """One YAML value and where it stands."""

    def __init__(self, node: yaml.Node, file: str) -> None:
        self._node = node
        self._file = file
        self.line: int = node.start_mark.line + 1

    def error(self, problem: str) -> ProcessFileError:
        """An error that points at this value."""
        return ProcessFileError(self._file, self.line, problem)

    def mapping(self) -> "Fields":
        """The value as fields by name."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("expected fields (name: value) here; indent them under their name.")
        found: dict[str, Value] = {}
        for key_node, value_node in self._node.value:
            key = Value(key_node, self._file)
            name = key.text()
            if name in found:
                raise key.error(
                    f"{name!r} stands here a second time (first on line {found[name].line}); remove one."
                )
            found[name] = Value(value_node, self._file)
        return Fields(self, found)

    def items(self) -> list["Value"]:
        """The value as a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error("expected a list here; write [a, b] or begin each line with '- '.")
        return [Value(node, self._file) for node in self._node.value]

    def text(self) -> str:
        """The value as non-empty text."""
        scalar = self._scalar(_STR, "text; put it between quotation marks")
        if not scalar.strip():
            raise self.error("this text is empty; write something or remove the line.")
        return scalar.strip()

    def integer(self) -> int:
        """The value as a whole number of zero or more."""
        scalar = self._scalar(_INT, "a whole number")
        if not scalar.isascii() or not scalar.isdigit():
            raise self.error(f"expected a whole number without a sign, found {scalar!r}.")
        return int(scalar)

    def decimal(self) -> Decimal:
        """The value as a number, exactly as written."""
        scalar = self._scalar((_INT, _FLOAT), "a number")
        try:
            number = Decimal(scalar)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise self.error(f"expected a plain number such as 12.5, found {scalar!r}.")
        return number

    def truth(self) -> bool:
        """The value as true or false."""
        return self._scalar(_BOOL, "true or false").lower() in ("true", "yes", "on")

    def percent(self) -> int:
        """A percentage with at most two decimals, in basis points."""
        number = self.decimal() * 100
        if number != number.to_integral_value() or number < 0:
            raise self.error(f"{number / 100} is no percentage; use zero or more, with at most two decimals.")
        return int(number)

    def pair(self) -> tuple["Value", "Value"]:
        """The value as [low, high]."""
        both = self.items()
        if len(both) != 2:
            raise self.error(f"expected two numbers [low, high], found {len(both)}.")
        return both[0], both[1]

    def _scalar(self, tags: str | tuple[str, ...], wanted: str) -> str:
        if not isinstance(self._node, yaml.ScalarNode) or self._node.tag not in (
            tags if isinstance(tags, tuple) else (tags,)
        ):
            shown = (
                f"found {self._node.value!r}" if isinstance(self._node, yaml.ScalarNode) else "found a group"
            )
            raise self.error(f"expected {wanted}, {shown}.")
        return str(self._node.value)


class Fields:
    """The fields of a mapping; each is taken once, and `done` complains of those that nobody asked for."""

    def __init__(self, owner: Value, found: dict[str, Value]) -> None:
        self.owner = owner
        self._found = found
        self._asked: set[str] = set()

    def take(self, name: str) -> Value:
        """A field that must be there."""
        value = self.maybe(name)
        if value is None:
            raise self.owner.error(f"{name!r} is missing here; add a line '{name}: …'.")
        return value

    def maybe(self, name: str) -> Value | None:
        """A field that may be left out."""
        self._asked.add(name)
        return self._found.get(name)

    def names(self) -> list[str]:
        """What stands here, in order."""
        return list(self._found)

    def strangers(self) -> list[ProcessFileError]:
        """A fault for each field that nobody asked for."""
        known = ", ".join(sorted(self._asked))
        return [
            value.error(f"{name!r} means nothing here; known are {known}.")
            for name, value in self._found.items()
            if name not in self._asked
        ]

    def done(self) -> None:
        """Refuse fields that mean nothing here."""
        for stranger in self.strangers():
            raise stranger


def root(text: str, file: str) -> Value:
    """The one document in `text`. Raises `ProcessFileError`; no tag ever makes an object."""
    try:
        node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProcessFileError(
            file, line, f"this is not YAML: {error.problem}; check indents and quotes."
        ) from error
    except yaml.YAMLError as error:
        raise ProcessFileError(
            file, 1, "this is not YAML: it holds a character that YAML forbids."
        ) from error
    if node is None:
        raise ProcessFileError(file, 1, "the file is empty; begin it with 'key: …'.")
    return Value(node, file)
