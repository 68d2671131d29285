"""The oracles as fixtures; a test skips, with the reason, where its oracle cannot be had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracles.hands import Missing, Oracle, build_sumdb, start_node


@pytest.fixture(scope="session")
def sumdb() -> Path:
    """Go's sumdb library as a program: `sumdb log …`."""
    try:
        return build_sumdb()
    except Missing as reason:
        pytest.skip(f"{reason}; `make test` installs it on Debian")


@pytest.fixture(scope="session")
def gopher(sumdb: Path) -> Iterator[Oracle]:
    """Go's sumdb library, answering questions."""
    with Oracle(str(sumdb), "lines") as oracle:
        yield oracle


@pytest.fixture(scope="session")
def _node() -> Iterator[Oracle]:
    try:
        oracle = start_node()
    except Missing as reason:
        pytest.skip(f"{reason}; `make test` installs it on Debian")
    with oracle:
        yield oracle


@pytest.fixture(scope="session")
def webcrypto(_node: Oracle) -> Oracle:
    """Node's WebCrypto."""
    if not _node.ask("has")["ed25519"]:
        pytest.skip("this Node's WebCrypto knows no Ed25519")
    return _node


@pytest.fixture(scope="session")
def canonicalizer(_node: Oracle) -> Oracle:
    """npm's canonicalize."""
    if not _node.ask("has")["canonicalize"]:
        pytest.skip("npm's canonicalize is not in .make/oracles; `make test` fetches it")
    return _node
