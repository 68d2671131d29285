"""What we can see of ourselves: one log line a request, metrics, health. No secret gets into either.

Order links and sign-in links carry secrets in their path, so logs and metrics name the route, never the address.
"""

import hmac
import logging
import os
import re
import sys
import time

import structlog
from flask import Flask, Response, abort, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client import REGISTRY as HERE
from prometheus_client.registry import Collector
from sqlalchemy import text

from village.db import db
from village.ids import uuid7
from village.settings import Settings

REQUESTS = Counter("soi_requests_total", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram("soi_request_seconds", "Seconds to answer a request.", ("route",))

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_PROXIED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
_QUIET = frozenset(("health.live", "health.ready", "health.metrics", "static"))

COLLECTORS = "soi.metrics.collectors"

log = structlog.get_logger("soi.request")


def configure_logging(level: str) -> None:
    """One JSON object a line, on stderr."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def init_app(app: Flask, settings: Settings) -> None:
    """Log, count and time each request; serve /healthz, /readyz and /metrics."""

    @app.before_request
    def _begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid7()
        g.began = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        if "request_id" not in g:
            return response
        seconds = time.perf_counter() - g.began
        route = request.url_rule.rule if request.url_rule else "(none)"
        # A method is any word that the asker likes; each word would be kept for ever.
        method = request.method if request.method in _METHODS else "(other)"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(route).observe(seconds)
        response.headers["X-Request-ID"] = g.request_id
        if request.endpoint not in _QUIET:
            who = g.get("actor")
            log.info(
                "request",
                request_id=g.request_id,
                method=request.method,
                route=route,
                status=response.status_code,
                ms=round(seconds * 1000, 1),
                member=who.id if who else None,
            )
        return response

    app.extensions[COLLECTORS] = []
    app.add_url_rule("/healthz", "health.live", _live)
    app.add_url_rule("/readyz", "health.ready", _ready)
    app.add_url_rule("/metrics", "health.metrics", _metrics)


def add_collector(app: Flask, collector: Collector) -> None:
    """Have /metrics show what `collector` finds at each scrape, in whichever worker answers it. While it fails, as it
    may when the database is away, its figures are missing and the others are there."""
    app.extensions[COLLECTORS].append(collector)


def _collected() -> bytes:
    found = b""
    for collector in current_app.extensions[COLLECTORS]:
        try:
            found += generate_latest(collector)
        except Exception as error:
            log.warning("figures missing", collector=type(collector).__name__, why=type(error).__name__)
    return found


def _live() -> Response:
    return Response("ok\n", mimetype="text/plain")


def _ready() -> Response:
    """Ready when the database answers and has the schema of this code."""
    try:
        db.session.execute(text("SELECT 1 FROM ledger_state")).first()
    except Exception:
        return Response("database not ready\n", status=503, mimetype="text/plain")
    return Response("ready\n", mimetype="text/plain")


def _metrics() -> Response:
    """For Prometheus: with METRICS_TOKEN as bearer, or straight from this machine (not through a proxy)."""
    token = current_app.extensions["soi"].metrics_token
    local = request.remote_addr in ("127.0.0.1", "::1") and not any(name in request.headers for name in _PROXIED)
    if token:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
            abort(403)
    elif not local:
        abort(403)
    registry = HERE
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    return Response(generate_latest(registry) + _collected(), content_type=CONTENT_TYPE_LATEST)
