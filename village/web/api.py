"""The JSON addresses: one OpenAPI description for all of them, read as a page without anything from elsewhere."""

import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Blueprint, Flask, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from marshmallow import INCLUDE, Schema, fields

pages = Blueprint("api_pages", __name__, template_folder="templates")


class FailureSchema(Schema):
    """An error as RFC 9457 has it; each kind may say more."""

    class Meta:
        """Further members are its kind's own."""

        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String()
    field = fields.String(metadata={"description": "The path of the value at fault."})


class SoiApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's registry, leaving the errors to `village.web.problems`."""

    ERROR_SCHEMA = FailureSchema

    def init_app(self, app: Flask) -> None:
        """Begin with nothing described."""
        self._undescribed: list[Callable[[], None]] = []
        self._describing = threading.Lock()
        super().init_app(app)

    def register_blueprint(self, blp: Any, **options: Any) -> None:
        """As the library does, but the description waits until somebody reads it: it takes longer than all the rest of
        a start, and a command or a worker hardly ever needs it."""
        app, name = self._app, options.get("name", blp.name)
        app.extensions["flask-smorest"]["blp_name_to_api"][name] = self
        app.register_blueprint(blp, **options)
        describe = partial(blp.register_views_in_doc, self, app, self.spec, name=name, parameters=None)
        self._undescribed.append(describe)

    def described(self) -> dict[str, Any]:
        """The description of all blueprints."""
        with self._describing:
            while self._undescribed:
                self._undescribed.pop(0)()
            told: dict[str, Any] = self.spec.to_dict()
        return told

    def _register_error_handlers(self) -> None:
        pass


api = SoiApi()


def init_app(app: Flask) -> None:
    """Describe the API. Blueprints register themselves on `api` in wsgi.py."""
    app.config.update(
        API_TITLE="Soi",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_JSON_PATH=None,
        OPENAPI_URL_PREFIX=None,
        API_SPEC_OPTIONS={
            "info": {"description": "Traceability and selling for the noodle village of Bình Lư."},
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        },
    )
    api.init_app(app)
    app.register_blueprint(pages)


@pages.get("/api/openapi.json")
def openapi() -> ResponseReturnValue:
    """The description, for programs."""
    return jsonify(description())


@pages.get("/api/docs")
def docs() -> ResponseReturnValue:
    """The description, for people."""
    return render_template("api_docs.html", spec=description())


def description() -> dict[str, Any]:
    """The whole description as OpenAPI means it: errors as problems, patterns in JavaScript's spelling, bounds as
    numbers."""
    told = api.described()
    for response in told.get("components", {}).get("responses", {}).values():
        content = response.get("content", {})
        if "application/json" in content:
            response["content"] = {"application/problem+json": content["application/json"]}
    _respell(told)
    return told


def _respell(told: Any) -> None:
    r"""Python's `\A` and `\Z`, which no other reader of a schema knows, as `^` and `$`; a Decimal, which JSON would
    have as a text, as a number."""
    if isinstance(told, dict):
        if isinstance(told.get("pattern"), str):
            told["pattern"] = told["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
        for name, value in told.items():
            if isinstance(value, Decimal):
                told[name] = int(value) if value == int(value) else float(value)
            _respell(value)
    elif isinstance(told, list):
        for value in told:
            _respell(value)
