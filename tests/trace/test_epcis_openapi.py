"""schemathesis reads our own description of `/epcis` and `/api`, and sends what it allows and what it forbids: no
answer is a failure of ours, and none is one that the description does not know."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.partner import partner_of
from tests.support.village import Village

EXAMPLES = 2
"""For each operation, and for each of what is allowed and what is not."""
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
pytestmark = pytest.mark.slow_once


def in_a_context_of_its_own(app: Flask) -> Callable[[Any, Any], Iterable[bytes]]:
    """Each request as in a real server: Flask would reuse the context that the fixture pushed."""

    def serve(environ: Any, start_response: Any) -> Iterable[bytes]:
        with app.app_context():
            return list(app(environ, start_response))

    return serve


@pytest.mark.parametrize("prefix", ["/epcis", "/api"])
def test_no_request_that_the_description_allows_or_forbids_gets_an_answer_that_it_does_not_know(
    app: Flask, village: Village, prefix: str
) -> None:
    lot = village.batch(village.made("harvest", "tuber", 1_250_000)).epc
    partner = partner_of(app, village)
    assert partner.post("/epcis/events", partner.event(lot)).status_code == 201
    token = village.token("office")
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", in_a_context_of_its_own(app))
    tried = 0
    for found in schema.include(path_regex=f"^{prefix}").get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        # What is not offered says so with 501.
        checks = CHECKS[1:] if "subscriptions" in operation.path else CHECKS
        # Where nothing but a path is asked for, nothing is forbidden either.
        wrong = [GenerationMode.NEGATIVE] if operation.body or operation.query else []
        for mode in (GenerationMode.POSITIVE, *wrong):
            asking(operation, mode, checks, token)()
            tried += 1
    assert tried > 10


def asking(operation: Any, mode: GenerationMode, checks: list[Any], token: str) -> Callable[[], None]:
    """Try one operation with examples of one kind."""

    @QUICK
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=checks)

    return ask
