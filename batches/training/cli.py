"""`flask training`."""

import os
import shutil
import subprocess
import sys

import click
from flask import current_app
from flask.cli import AppGroup

from batches.training import settling
from batches.training.ticket import KEY
from village.settings import ROOT, TRAINING, Settings, training_environ

training = AppGroup("training", help="The training village, which touches nothing real.")
FLASK = (sys.executable, "-m", "flask", "--app", str(ROOT / "wsgi.py"))


@training.command("serve")
@click.option("--beside", type=int, metavar="PID", help="End when this process, which started it, is gone.")
def serve(beside: int | None) -> None:
    """Serve the training village on TRAINING_PORT. The server starts this beside its workers when that is set."""
    settings: Settings = current_app.extensions["soi"]
    if settings.training_port is None:
        raise click.ClickException("TRAINING_PORT is not set, so there is no training village to serve.")
    env = training_environ(settings)
    for command in (("db", "upgrade"), ("training", "settle")):
        subprocess.run((*FLASK, *command), env=env, check=True, stdout=subprocess.DEVNULL)
    if beside is not None:
        env["SOI_BESIDE"] = str(beside)
    server = ROOT / "village" / "web" / "gunicorn.py"
    os.execve(sys.executable, [sys.executable, "-m", "gunicorn", "-c", str(server)], env)


@training.command("settle")
def settle() -> None:
    """Settle the training village; run inside of it, by `serve`."""
    if not current_app.extensions["soi"].training:
        raise click.ClickException("This is a real village; only a training village is settled so.")
    settling.settle()


@training.command("renew")
def renew() -> None:
    """Throw the training village away; the next `serve` makes a new one. Stop the server first."""
    folder = current_app.extensions["soi"].instance / TRAINING
    # Known by its key: nothing else is ever removed.
    if not (folder / KEY).exists():
        click.echo("There is no training village here yet.")
        return
    shutil.rmtree(folder)
    click.echo("The training village is gone; it is made anew when it is served again.")
