"""What the reasons of a loss are called. The room above knows them by its process files, and says when it is wired."""

from collections.abc import Callable

from flask import Flask, current_app

KEY = "soi-reasons"
Names = Callable[[str, int, str, str], tuple[str, str] | None]
"""Of (process, version, stage, reason): its name in Vietnamese and in English; None for one that nobody knows."""


def offer(app: Flask, names: Names) -> None:
    """Let losses be told by these names."""
    app.extensions[KEY] = names


def reason_name(process: str, version: int, stage: str, reason: str) -> tuple[str, str] | None:
    """The reason's name in both languages; None for one that nobody knows."""
    names: Names | None = current_app.extensions.get(KEY)
    return names(process, version, stage, reason) if names else None
