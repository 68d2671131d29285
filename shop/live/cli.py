"""Commands about livestreams: how well comments are read, and how a kept log would be read today."""

import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from shop.live import accuracy
from shop.live.replay import Gist, replay
from village.db import db
from village.errors import NotFound
from village.settings import ROOT

live = AppGroup("live", help="Livestreams: how comments are read.")

COMMENTS = ROOT / "tests" / "shop" / "comments"
"""Where the comments lie whose meaning is known."""
_CODES = "MD01,MD02,MD03,MD10,MK01,COMBO1"


@live.command("accuracy")
@click.option("--file", "files", multiple=True, type=click.Path(path_type=Path), help="Comments to read; repeatable.")
@click.option("--codes", default=_CODES, show_default=True, help="The codes that are live.")
@click.option("--brief", is_flag=True, help="Only the counts: the comments themselves stay unseen.")
def tell_accuracy(files: tuple[Path, ...], codes: str, brief: bool) -> None:
    """Read comments whose meaning is known, and count false orders apart from missed ones.

    Ends with 1 when there is a false order or a false cancellation."""
    cases = []
    for path in files or sorted(COMMENTS.glob("*.json")):
        try:
            cases.extend(accuracy.load(path))
        except accuracy.Unreadable as error:
            raise click.ClickException(str(error)) from None
    if not cases:
        raise click.ClickException(f"There are no comments in {COMMENTS}; name a file with --file.")
    judged = accuracy.measure(cases, [code.strip() for code in codes.split(",") if code.strip()])
    _table(accuracy.tallies(judged))
    for verdict in [] if brief else list(accuracy.Verdict)[1:]:
        for each in judged:
            if each.verdict is verdict:
                click.echo(f"\n{verdict}: {_harmless(each.case.text)}")
                click.echo(f"  meant  {_said('order' if each.case.lines else 'no order', each.case.lines, '')}")
                lines = tuple((line.code, line.quantity) for line in each.reading.lines)
                click.echo(f"  read   {_said(each.reading.intent, lines, each.reading.reason)}")
    worst = (accuracy.Verdict.FALSE_ORDER, accuracy.Verdict.FALSE_CANCELLATION)
    sys.exit(1 if any(each.verdict in worst for each in judged) else 0)


def _table(tallies: list[accuracy.Tally]) -> None:
    heads = ("kind", "comments", "orders", "right", *list(accuracy.Verdict)[1:], "to a person")
    click.echo("  ".join(f"{head:<16}" if head == "kind" else head for head in heads))
    for each in tallies:
        counts = (each.comments, each.orders, each.right)
        faults = (each.verdicts.get(verdict, 0) for verdict in list(accuracy.Verdict)[1:])
        cells = zip(heads[1:], (*counts, *faults, each.to_a_person), strict=True)
        click.echo("  ".join([f"{each.kind:<16}", *(f"{number or '·':>{len(head)}}" for head, number in cells)]))
    whole = tallies[-1]
    click.echo(f"\nAccuracy {whole.right / whole.comments:.1%} of {whole.comments} comments.")


@live.command("replay")
@click.argument("session_id")
def replay_log(session_id: str) -> None:
    """Read a session's comments again with the parser of today, and show those that it reads otherwise.

    Nothing is changed: orders and decisions stay as they are."""
    try:
        found = replay(db.session(), session_id)
    except NotFound:
        raise click.ClickException("There is no such session.") from None
    for each in found.changed:
        click.echo(f"{each.comment.seq}. {_harmless(each.comment.text)}")
        click.echo(f"  then   {_told(each.then)}\n  today  {_told(each.today)}")
    erased = f" {found.forgotten} were erased." if found.forgotten else ""
    click.echo(f"{found.read} comments, {len(found.changed)} of them are read otherwise today.{erased}")


def _told(gist: Gist) -> str:
    return _said(gist.intent, gist.lines, gist.reason)


def _said(intent: str, lines: tuple[tuple[str, int], ...], reason: str) -> str:
    packs = ", ".join(f"{code} all" if n == 0 else f"{code} ×{n}" for code, n in lines)
    return " ".join(part for part in (intent, packs, f"({reason})" if reason else "") if part)


def _harmless(text: str) -> str:
    """A comment for a terminal: one line, and nothing in it that turns, clears or moves."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
