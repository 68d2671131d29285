"""A django-oscar shop under gunicorn, to stand beside ours: in an environment of its own, never a dependency."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.serving import START, Served, free_port
from village.settings import ROOT

VERSION = "4.2.1"
ENVIRONMENT = ROOT / ".make" / "oscar"
SHOP = ROOT / "tests" / "bench" / "oscar"


class NoPeer(Exception):
    """The shop cannot be had on this machine. Its text says why."""


def install(gunicorn: str) -> Path:
    """The Python of the peer's environment, made if it is not there, with the same gunicorn as ours. Raises NoPeer."""
    python = ENVIRONMENT / "bin" / "python"
    told = ENVIRONMENT / "has"
    want = f"django-oscar {VERSION}, gunicorn {gunicorn}"
    if told.is_file() and told.read_text(encoding="utf-8") == want:
        return python
    print(f"· Installing {want} into {ENVIRONMENT.relative_to(ROOT)}", flush=True)
    packages = [f"django-oscar[sorl-thumbnail]=={VERSION}", f"gunicorn=={gunicorn}"]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True, timeout=120)
        pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input", *packages]
        subprocess.run(pip, check=True, timeout=600, stderr=subprocess.DEVNULL)
    except (subprocess.SubprocessError, OSError) as error:
        raise NoPeer(f"django-oscar could not be installed: {error}") from error
    told.write_text(want, encoding="utf-8")
    return python


def fill(python: Path, folder: Path, products: int) -> list[str]:
    """Make its database under `folder`; the addresses of its products."""
    folder.mkdir()
    done = subprocess.run(
        [str(python), "-W", "ignore", "shop_fill.py", str(products)],
        cwd=SHOP, env=_environment(folder), check=True, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    return done.stdout.split()


@contextmanager
def selling(python: Path, folder: Path, workers: int, threads: int) -> Iterator[Served]:
    """The shop, served as ours is."""
    port = free_port()
    command = [
        str(python), "-W", "ignore", "-m", "gunicorn", "--worker-class", "gthread", "--workers", str(workers),
        "--threads", str(threads), "--keep-alive", "15", "--bind", f"127.0.0.1:{port}", "--log-level", "warning",
        "shop_wsgi:application",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=SHOP, env=_environment(folder), start_new_session=True)
    served = Served(port, process)
    try:
        deadline = time.monotonic() + START
        while not _answers(served):
            if time.monotonic() > deadline or process.poll() is not None:
                raise NoPeer("django-oscar did not start")
            time.sleep(0.1)
        yield served
    finally:
        served.stop()


def _answers(served: Served) -> bool:
    with suppress(OSError):
        connection = served.connect(timeout=10)
        connection.request("GET", "/healthz")
        return connection.getresponse().read() == b"ok\n"
    return False


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "OSCAR_FOLDER": str(folder), "PYTHONPATH": str(SHOP), "PYTHONDONTWRITEBYTECODE": "1"}
