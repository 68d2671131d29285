"""The JSON addresses: one OpenAPI description for all of them, read as a page without anything from elsewhere."""

from flask import Blueprint, Flask, jsonify, render_template
from flask.typing import ResponseReturnValue
from flask_smorest import Api

pages = Blueprint("api_pages", __name__, template_folder="templates")


class SoiApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's registry, leaving the errors to `village.web.problems`."""

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
    return jsonify(api.spec.to_dict())


@pages.get("/api/docs")
def docs() -> ResponseReturnValue:
    """The description, for people."""
    return render_template("api_docs.html", spec=api.spec.to_dict())
