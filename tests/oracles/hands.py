"""Hands on the oracles: tools that nobody here wrote, each in a process of its own that answers JSON, one line each."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

from village.settings import ROOT

FOLDER = ROOT / ".make" / "oracles"
GOPATH = Path("/usr/share/gocode")
HASHER = FOLDER / "epcis" / "bin" / "python"
"""The environment in which GS1 Germany's event hash generator lives."""
BUILD = 300
"""Seconds that Go may take to build its part."""
ANSWER = 60
"""Seconds that an oracle may take for one answer."""


class Missing(Exception):
    """An oracle that is not on this machine. Its text says why, for the test that skips."""


class Oracle:
    """A process that is asked and answers, one JSON line each."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)

    def ask(self, ask: str, **more: Any) -> dict[str, Any]:
        """One answer; one with `error` where the oracle refuses. Bytes go as base64."""
        assert self._process.stdin and self._process.stdout
        asked = {"ask": ask} | {name: _plain(value) for name, value in more.items()}
        late = threading.Timer(ANSWER, self._process.kill)
        late.start()
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        finally:
            late.cancel()
        if not line:
            raise RuntimeError(f"the oracle ended, or took longer than {ANSWER} s, when asked {ask}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def build_sumdb() -> Path:
    """Go's reader of the ledger. Raises Missing where Debian's Go or its library is not."""
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        raise Missing("Debian's golang-go and golang-golang-x-mod-dev are not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    program = FOLDER / "sumdb"
    alone = {
        "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOPROXY": "off",
        "GOCACHE": str(ROOT / ".make" / "go-cache"), "CGO_ENABLED": "0",
    }  # fmt: skip
    # Two workers of the suite must not write the same file at once.
    with (FOLDER / "building").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        built = subprocess.run(
            [go, "build", "-o", str(program), "./tests/oracles/sumdb"],
            cwd=ROOT, env={**os.environ, **alone}, capture_output=True, text=True, timeout=BUILD,
        )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return program


def start_node() -> Oracle:
    """Node. Raises Missing where there is none."""
    node = shutil.which("node")
    if node is None:
        raise Missing("Node is not installed")
    return Oracle(node, str(ROOT / "tests" / "oracles" / "node.mjs"), str(FOLDER))


def start_bwip() -> Oracle:
    """npm's bwip-js, which prints GS1 Digital Links and refuses what is none. Raises Missing where it is not."""
    node, folder = shutil.which("node"), FOLDER / "bwip"
    if node is None:
        raise Missing("Node is not installed")
    if not (folder / "node_modules" / "bwip-js" / "package.json").is_file():
        raise Missing("npm's bwip-js is not in .make/oracles")
    return Oracle(node, str(ROOT / "tests" / "oracles" / "bwip.mjs"), str(folder))
