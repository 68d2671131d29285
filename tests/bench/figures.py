"""What was measured, as a table and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.bench.load import Load


@dataclass(frozen=True)
class Figure:
    """One measurement. `aim` is the least rate that we want, None for a peer that has none."""

    what: str
    on: str
    load: Load
    aim: float | None = None

    @property
    def holds(self) -> bool:
        """True when the aim is reached and nothing failed."""
        return self.load.failures == 0 and (self.aim is None or self.load.rate >= self.aim)


@dataclass(frozen=True)
class Run:
    """All of one run, with what limits it."""

    machine: str
    day: str
    seconds: float
    syncs: float
    """Durable writes a second that the disk does, one after the other."""
    page_bytes: int
    """Bytes of a scan page and its style sheet."""
    figures: Sequence[Figure]


PAGE_AIM = 60 * 1024


def table(run: Run) -> str:
    """docs/bench.md."""
    rows = [
        f"| {f.what} | {f.on} | {f.load.rate:,.0f} | {f.load.p50:.1f} | {f.load.p99:.1f} | "
        f"{'–' if f.aim is None else f'≥ {f.aim:,.0f}'} | {_verdict(f)} |"
        for f in run.figures
    ]
    weight = f"{run.page_bytes / 1024:.1f} KB; aim ≤ {PAGE_AIM // 1024} KB"
    small = "yes" if run.page_bytes <= PAGE_AIM else "**no**"
    return "\n".join(
        [
            "# How fast it is",
            "",
            f"Written by `make bench` on {run.day}: {run.machine}, gunicorn with 2 workers of 8 threads, 16 keep-alive",
            f"connections from 2 client processes on the same cores, {run.seconds:.0f} s each in four rounds on fresh",
            "connections, after warming up.",
            "The hello world is the least that Flask can be under the same server, in the same run.",
            "",
            "![Answers a second](bench.svg)",
            "",
            "| what | on | answers/s | p50 ms | p99 ms | aim | reached |",
            "| --- | --- | ---: | ---: | ---: | ---: | --- |",
            *rows,
            "",
            f"A scan page with its style sheet weighs {weight}: {small}.",
            "",
            f"The disk did {run.syncs:,.0f} durable writes a second, one after the other.",
            "An event is answered only when it is on the disk.",
            "",
        ]
    )


def _verdict(figure: Figure) -> str:
    if figure.load.failures:
        return f"**{figure.load.failures} failed**"
    if figure.aim is None:
        return "–"
    return "yes" if figure.holds else "**no**"


ROW, LEFT, WIDTH, TOP = 34, 250, 470, 56
INK, QUIET, PEER, OURS, AIM = "#2b2620", "#6f665c", "#b9ac9b", "#8a5a2b", "#1f6f5c"


def picture(run: Run) -> str:
    """docs/bench.svg: a bar for each figure, a mark where its aim is."""
    most = max([f.load.rate for f in run.figures] + [f.aim or 0 for f in run.figures]) or 1
    height = TOP + ROW * len(run.figures) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {height}" font-family="system-ui, sans-serif" '
        f'role="img" aria-label="Answers a second">',
        f'<rect width="800" height="{height}" fill="#fffdf9"/>',
        f'<text x="16" y="30" font-size="18" font-weight="600" fill="{INK}">Answers a second on 2 cores</text>',
    ]
    for number, figure in enumerate(run.figures):
        y = TOP + number * ROW
        bar = figure.load.rate / most * WIDTH
        fill = PEER if figure.aim is None else OURS
        label = f"{figure.what}, {figure.on}" if figure.on != "–" else figure.what
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 16}" font-size="13" text-anchor="end" fill="{INK}">{escape(label)}</text>',
            f'<rect x="{LEFT}" y="{y + 2}" width="{bar:.1f}" height="20" rx="3" fill="{fill}"/>',
            f'<text x="{LEFT + bar + 8:.1f}" y="{y + 16}" font-size="13" fill="{INK}">{figure.load.rate:,.0f}</text>',
        ]
        if figure.aim is not None:
            x = LEFT + figure.aim / most * WIDTH
            parts.append(f'<path d="M{x:.1f} {y - 2} V{y + 26}" stroke="{AIM}" stroke-width="3"/>')
    foot = f"Green marks: what we aim at. {run.machine}, {run.day}."
    parts += [f'<text x="16" y="{height - 14}" font-size="12" fill="{QUIET}">{escape(foot)}</text>', "</svg>"]
    return "\n".join(parts) + "\n"
