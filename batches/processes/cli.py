"""`flask processes …`: process files looked over before the village starts with them."""

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from batches.processes.loader import FOLDER, faults_in, faults_of


@click.group()
def processes() -> None:
    """How products are made: one file for each version of a process."""


@processes.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: Sequence[Path]) -> None:
    """Tell every fault in FILES, or in all of the village's process files. Exit status 1 if there is one."""
    faults = [fault for file in files for fault in faults_in(file)] if files else faults_of()
    for fault in faults:
        click.echo(str(fault))
    if faults:
        sys.exit(1)
    count = len(files) or len(list(FOLDER.glob("*/*.yaml")))
    click.echo(f"{count} process {'file' if count == 1 else 'files'} looked at, nothing wrong.")


def is_checking(arguments: Sequence[str]) -> bool:
    """True for the command line of `flask … processes check …`, which must run where a file stops the start."""
    return ("processes", "check") in pairwise(arguments)
