"""How much a gram of each material counts where several went into one step. The room above says, when it is wired."""

from collections.abc import Callable

from flask import Flask, current_app

KEY = "soi-weights"
Weigh = Callable[[str, int, str, str], int]
"""Of (process, version, stage, material): a positive number that compares the materials of that stage."""


def offer(app: Flask, weigh: Weigh) -> None:
    """Let shares of origin be weighed by `weigh`."""
    app.extensions[KEY] = weigh


def weight(process: str, version: int, stage: str, material: str) -> int:
    """What a gram counts there; 1 for a stage that nobody knows."""
    weigh: Weigh | None = current_app.extensions.get(KEY)
    return weigh(process, version, stage, material) if weigh else 1
