"""`flask jobs …`."""

import click
from flask import current_app
from flask.cli import AppGroup

from village.clock import VN
from village.jobs.services import latest
from village.jobs.worker import Worker, only_one, work_off

jobs_cli = AppGroup("jobs", help="Work that is done outside of requests: imports, exports, labels.")


@jobs_cli.command("work")
@click.option("--once", is_flag=True, help="Do what waits now, and end.")
@click.option("--beside", type=int, metavar="PID", help="End when this process, which started the worker, is gone.")
def work(once: bool, beside: int | None) -> None:
    """Do the jobs. The server starts this beside its workers; with JOBS=off it does not, and it is run apart."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the app behind the proxy
    if not once:
        Worker(app).run(beside)
        return
    with only_one(app) as alone:
        if not alone:
            raise click.ClickException("A worker of this instance is at work already.")
        click.echo(f"{work_off()} jobs run.")


@jobs_cli.command("list")
@click.option("--limit", default=50, show_default=True, help="How many, newest first.")
def list_jobs(limit: int) -> None:
    """The newest jobs, one a line."""
    for job in latest(limit):
        made = job.made_at.astimezone(VN).strftime("%Y-%m-%d %H:%M:%S")
        far = f"{job.done}/{job.total}" if job.total else "-"
        click.echo(f"{job.id}  {made}  {job.state.value:<9}  {far:>15}  {job.kind}  {job.message}".rstrip())
