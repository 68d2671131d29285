"""Each test has an app of its own. What all of those apps would compile anew, word for word, is compiled once here:
templates and the functions that build addresses took more than half of the suite's time.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

_routes: dict[tuple[Any, ...], Callable[..., tuple[str, str]]] = {}
_compile = Rule._compile_builder


class _Templates(BytecodeCache):
    """Compiled templates by name and source, in this process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, Any]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket, if this very source was compiled before."""
        checksum, code = self._kept.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = (bucket.checksum, bucket.code)


_templates = _Templates()


def _compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    # All that the library's own function reads, so that equal keys mean equal functions.
    key = (rule.rule, tuple(rule._trace), tuple(sorted((rule.defaults or {}).items())), append_unknown)
    found = _routes.get(key)
    if found is None:
        found = _routes[key] = _compile(rule, append_unknown)
    return found


def compile_routes_once() -> None:
    """From now on, for every app of this process."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign, assignment]  # the same, remembered


def share_templates(app: Flask) -> None:
    """Let `app` use what other apps of this process compiled."""
    app.jinja_env.bytecode_cache = _templates
