"""Puts the jobs into the app."""

from flask import Flask

from village.jobs import queue, views
from village.jobs.cli import jobs_cli
from village.jobs.metrics import JobFigures
from village.settings import Settings
from village.web.observe import add_collector


def init_app(app: Flask, settings: Settings) -> None:
    """Register pages, commands and figures; open nothing yet."""
    queue.init_app(app, settings)
    app.register_blueprint(views.jobs)
    app.cli.add_command(jobs_cli)
    app.jinja_env.globals["job_said"] = views.said
    add_collector(app, JobFigures())
