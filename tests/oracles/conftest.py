"""The oracles as fixtures; a test skips, with the reason, where its oracle cannot be had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracles.hands import HASHER, Missing, Oracle, build_sumdb, start_bwip, start_node
from village.settings import ROOT


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


@pytest.fixture(scope="session")
def hasher() -> Iterator[Oracle]:
    """PyPI's epcis-event-hash-generator."""
    if not HASHER.is_file():
        pytest.skip("PyPI's epcis-event-hash-generator is not in .make/oracles; `make test` fetches it")
    with Oracle(str(HASHER), "-W", "ignore", str(ROOT / "tests" / "oracles" / "epcis_hash.py")) as oracle:
        yield oracle


@pytest.fixture(scope="session")
def bwip() -> Iterator[Oracle]:
    """npm's bwip-js, judging GS1 Digital Links."""
    try:
        oracle = start_bwip()
    except Missing as reason:
        pytest.skip(f"{reason}; `make test` fetches it")
    with oracle:
        yield oracle
