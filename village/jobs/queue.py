"""The queue that tells a worker which job to begin: huey, in a file of its own beside SQLite, or in PostgreSQL.

It may lose or repeat what it is told; the sweeper (village/jobs/sweep.py) puts back what is missing, and a job that was
begun already is not begun again.
"""

import json
from collections.abc import Callable
from threading import Lock
from typing import Any

from flask import Flask, current_app
from huey import Huey
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import PostgresStorage, SqliteStorage

from village.settings import Settings

QUEUES = "soi.jobs.queues"


class Plain(Serializer):  # type: ignore[misc]  # huey has no types
    """Messages as JSON. huey's own are pickles, which run what they hold: no file of ours shall be able to."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps([data.id, data.name, list(data.args)]).encode()

    def _deserialize(self, data: bytes) -> Message:
        told_id, name, args = json.loads(bytes(data))
        return Message(id=told_id, name=name, args=tuple(args), kwargs={}, retries=0, retry_delay=0)


class Queues:
    """One queue for each lane, opened when it is first needed: most processes never need one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._open: dict[str, Huey] = {}
        self.do: Callable[[str], None] = _nobody

    def lane(self, name: str) -> Huey:
        """The queue of this lane. Its one task, `run`, takes a job's id and gives it to `do`."""
        with self._lock:
            if name not in self._open:
                queue = _queue(name, self._settings)
                queue.task(name="run")(lambda job_id: self.do(job_id))
                self._open[name] = queue
            return self._open[name]

    def put(self, lane: str, job_id: str) -> None:
        """Have a worker told of this job."""
        queue = self.lane(lane)
        task = queue._registry.string_to_task(_task_name(queue))
        queue.enqueue(task(args=(job_id,)))

    def queued(self, lane: str) -> set[str]:
        """Ids of the jobs that this lane knows of."""
        queue = self.lane(lane)
        return {str(queue.serializer.deserialize(item).args[0]) for item in queue.storage.enqueued_items()}

    def close(self) -> None:
        """Let go of files and connections."""
        with self._lock:
            for queue in self._open.values():
                queue.storage.close()
            self._open.clear()


def _nobody(job_id: str) -> None:
    raise RuntimeError(f"only a worker runs jobs, but here is {job_id}")


def _task_name(queue: Huey) -> str:
    (name,) = queue._registry._registry
    return str(name)


def _queue(lane: str, settings: Settings) -> Huey:
    options: dict[str, Any] = {"results": False, "serializer": Plain()}
    url = settings.database_url
    if url.startswith("sqlite"):
        # What it forgets in a power cut the sweeper knows: no need to wait for the disk.
        file = str(settings.instance / "jobs.db")
        return Huey(lane, storage_class=SqliteStorage, filename=file, fsync=False, timeout=20, **options)
    dsn = url.replace("postgresql+psycopg:", "postgresql:", 1)
    return Huey(lane, storage_class=PostgresStorage, dsn=dsn, table_prefix="soi_queue", **options)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app its queues."""
    app.extensions[QUEUES] = Queues(settings)


def queues() -> Queues:
    """The app's queues."""
    found: Queues = current_app.extensions[QUEUES]
    return found
