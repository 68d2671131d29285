"""EPCIS 2.0's SimpleEventQuery: its parameters read, and asked of one event at a time.

Source: GS1 EPCIS 2.0 §8.2.7 and its REST binding. A list in a web address is parted by `|`. Beside what can be asked of
an event alone, a query tells which times, ids and names limit it, so that a database need not look at everything.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trace.epcis.asking import Query, QueryFault, Reader, Seen
from trace.epcis.content import keys_of, spelled
from trace.epcis.fixed import PLAIN
from trace.epcis.formed import FORMS
from trace.epcis.vocabulary import NAMESPACES

MAX_PARAMETERS = 40


def read_query(asked: Mapping[str, Any], namespaces: Mapping[str, str] | None = None) -> Query:
    """Read parameters: texts as a web address has them, or JSON values as a stored query has them. Raises QueryFault.

    `namespaces` are those that the asker declares for names of his own.
    """
    if len(asked) > MAX_PARAMETERS:
        raise QueryFault(sorted(asked)[0], f"there are {len(asked)} parameters; {MAX_PARAMETERS} at most")
    reader = Reader({**NAMESPACES, **(namespaces or {})})
    for name, value in asked.items():
        _read(reader, name, value)
    return reader.query()


def about(query: Query, key: str) -> Query:
    """The same query, of events that name this EPC or EPC class in whatever part."""
    wanted = spelled(key)

    def test(seen: Seen) -> bool:
        return any(spelled(one) == wanted for one in keys_of(seen.event))

    return replace(query, tests=(*query.tests, test), names=(*query.names, frozenset((wanted,))))


def _read(reader: Reader, name: str, value: Any) -> None:
    if name in PLAIN:
        PLAIN[name](reader, name, value)
        return
    for form, rule in FORMS:
        if found := form.fullmatch(name):
            rule(reader, name, value, found)
            return
    raise QueryFault(name, f"there is no query parameter {name[:100]!r}")
