"""`flask ledger witness …`: to run a witness for neighbours' logs. It touches nothing of the village's own."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from trace.witness.serving import serve as serve_witness
from trace.witness.state import State, WitnessTrouble, create

witness = AppGroup("witness", help="A witness for neighbours' logs: begin it, tell it whom to watch, serve it.")
in_folder = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where its key and state lie; INSTANCE/witness."
)


@witness.command("init")
@click.option("--name", help="Its name for ever: an address without scheme, such as soi.neighbour.vn/w1.")
@in_folder
def init(name: str | None, folder: Path | None) -> None:
    """Begin a witness, or show the key of the one that is there."""
    try:
        click.echo(create(_folder(folder), name).vkey)
    except WitnessTrouble as error:
        raise click.ClickException(str(error)) from error


@witness.command("add-log")
@click.argument("vkey")
@in_folder
def add_log(vkey: str, folder: Path | None) -> None:
    """Witness the log whose key VKEY is. A log that changes its key sends its new one; add it the same way."""
    state = _opened(folder)
    try:
        click.echo(f"Witnessing {state.add_log(vkey).name}")
    except WitnessTrouble as error:
        raise click.ClickException(str(error)) from error


@witness.command("serve")
@click.option("--host", envvar="HOST", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="PORT", type=click.IntRange(1, 65535), default=8017, show_default=True)
@in_folder
def serve(host: str, port: int, folder: Path | None) -> None:
    """Answer logs at http://HOST:PORT/add-checkpoint; people find a page at the same address."""
    state = _opened(folder)
    click.echo(f"Witness {state.name} on http://{host}:{port}; logs it watches: {len(state.logs())}", err=True)
    serve_witness(_folder(folder), host, port)


@witness.command("key")
@in_folder
def key(folder: Path | None) -> None:
    """Print the witness's key, for others' policies."""
    click.echo(_opened(folder).vkey)


@witness.command("evidence")
@in_folder
def evidence(folder: Path | None) -> None:
    """Print what was kept against logs. Exit status 1 when a log has signed two histories."""
    found = _opened(folder).evidence()
    for one in found:
        click.echo(f"{one.found_at:%Y-%m-%dT%H:%M:%SZ} {one.kind} {one.origin}: {one.reason}")
        click.echo(f"--- cosigned before\n{one.held}--- refused\n{one.sent}")
    if any(one.kind == "fork" for one in found):
        raise SystemExit(1)


@witness.command("clock-mended")
@in_folder
def clock_mended(folder: Path | None) -> None:
    """After a clock that ran ahead was put right: cosign again. Only times are forgotten, no size and no root."""
    _opened(folder).forget_time()


def _folder(folder: Path | None) -> Path:
    default: Path = current_app.extensions["soi"].instance / "witness"
    return folder or default


def _opened(folder: Path | None) -> State:
    try:
        return State(_folder(folder))
    except WitnessTrouble as error:
        raise click.ClickException(str(error)) from error
