"""Which materials there are to make products of. The rooms above offer them when the app is wired."""

from typing import NamedTuple

from flask import Flask, current_app

KEY = "soi-materials"


class Material(NamedTuple):
    """One material of one process file, with its name in both languages."""

    process: str
    key: str
    name_vi: str
    name_en: str


def offer(app: Flask, *materials: Material) -> None:
    """Let the office make products of `materials`."""
    offered: dict[tuple[str, str], Material] = app.extensions.setdefault(KEY, {})
    offered.update(((material.process, material.key), material) for material in materials)


def offered() -> list[Material]:
    """All that were offered to this app, in the order of offering."""
    return list(current_app.extensions.get(KEY, {}).values())


def known(process: str, key: str) -> bool:
    """True for a material that was offered."""
    return (process, key) in current_app.extensions.get(KEY, {})
