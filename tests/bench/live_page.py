"""docs/bench-live.md, which two programs write: each its own part, between its heading and the next."""

from collections.abc import Sequence

from village.settings import ROOT

PAGE = ROOT / "docs" / "bench-live.md"
TITLE = "# How fast livestreams are taken in"
PARTS = ("## Intake", "## An evening")
"""In this order."""


def put(part: str, lines: Sequence[str]) -> None:
    """Write one part of the page anew, and leave the other as it is."""
    told = _told()
    told[part] = "\n".join(lines).strip()
    page = [TITLE, *(f"{name}\n\n{told[name]}" for name in PARTS if name in told)]
    PAGE.write_text("\n\n".join(page) + "\n", encoding="utf-8")


def _told() -> dict[str, str]:
    found: dict[str, str] = {}
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    for name, after in zip(PARTS, (*PARTS[1:], "\0"), strict=True):
        if f"{name}\n" in text:
            found[name] = text.partition(f"{name}\n")[2].partition(f"{after}\n")[0].strip()
    return found
