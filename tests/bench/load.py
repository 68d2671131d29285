"""A small load generator: keep-alive connections on plain sockets, in processes of their own.

It does as little as it can for a request, since it shares the cores with the server that it measures.
"""

import itertools
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

PROCESSES = 2
CONNECTIONS = 8
"""In each process; 16 in all, as many as two workers have threads."""
WARM_UP = 1.0
ROUNDS = 4
"""Each figure is taken on fresh connections so many times: how they fall to the two workers is chance, and sticks."""


@dataclass(frozen=True)
class Load:
    """What was measured: answers a second, and milliseconds that one took."""

    rate: float
    p50: float
    p99: float
    answers: int
    failures: int
    """Answers of another status than was hoped for."""


@dataclass(frozen=True)
class Job:
    """What each connection sends: `make(number)` gives the requests of connection `number`."""

    port: int
    make: Callable[[int], Iterator[bytes]]
    status: int
    seconds: float


def get(paths: list[str]) -> Callable[[int], Iterator[bytes]]:
    """GET these addresses in turn, for ever."""

    def make(number: int) -> Iterator[bytes]:
        requests = [_request("GET", path) for path in paths]
        return itertools.cycle(requests[number % len(requests) :] + requests[: number % len(requests)])

    return make


def post(path: str, token: str, body: Callable[[], Any]) -> Callable[[int], Iterator[bytes]]:
    """POST a new `body()` each time."""

    def make(_number: int) -> Iterator[bytes]:
        head = f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        while True:
            yield _request("POST", path, head, json.dumps(body()).encode())

    return make


def _request(method: str, path: str, head: str = "", body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{head}{length}\r\n".encode() + body


def run(job: Job) -> Load:
    """Load the server for `job.seconds` after warming up."""
    part = replace(job, seconds=job.seconds / ROUNDS)
    told = [one for _ in range(ROUNDS) for one in _round(part)]
    times = sorted(t for taken, _ in told for t in taken)
    if not times:
        return Load(0, 0, 0, 0, sum(failed for _, failed in told))
    return Load(
        rate=len(times) / job.seconds,
        p50=times[len(times) // 2] * 1000,
        p99=times[min(len(times) - 1, len(times) * 99 // 100)] * 1000,
        answers=len(times),
        failures=sum(failed for _, failed in told),
    )


def _round(job: Job) -> list[tuple[list[float], int]]:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    began = time.monotonic() + 0.3
    processes = [context.Process(target=_process, args=(job, n, began, results)) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    told = [results.get(timeout=job.seconds + 120) for _ in processes]
    for process in processes:
        process.join()
    return told


def _process(job: Job, number: int, began: float, results: Any) -> None:
    taken: list[float] = []
    failed: list[int] = []
    threads = [
        threading.Thread(target=_connection, args=(job, number * CONNECTIONS + n, began, taken, failed))
        for n in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((taken, len(failed)))


def _connection(job: Job, number: int, began: float, taken: list[float], failed: list[int]) -> None:
    time.sleep(max(0.0, began - time.monotonic()))
    counted, ends = began + WARM_UP, began + WARM_UP + job.seconds
    connection: socket.socket | None = None
    for request in job.make(number):
        start = time.monotonic()
        if start >= ends:
            break
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", job.port), timeout=30)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            status, closing = _answer(connection)
        except OSError:
            failed.append(0)
            connection = None
            continue
        end = time.monotonic()
        if closing:
            connection.close()
            connection = None
        if status != job.status:
            failed.append(status)
        elif counted <= end < ends:
            taken.append(end - start)
    if connection is not None:
        connection.close()


def _answer(connection: socket.socket) -> tuple[int, bool]:
    """Read one answer to its end: its status, and whether the server closes after it."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        read = connection.recv(65536)
        if not read:
            raise ConnectionError("closed before an answer")
        data += read
    head = data[:end].lower()
    at = head.find(b"\r\ncontent-length: ")
    left = int(head[at + 18 :].split(b"\r\n", 1)[0]) - (len(data) - end - 4) if at >= 0 else 0
    while left > 0:
        left -= len(connection.recv(65536))
    return int(head[9:12]), b"\r\nconnection: close" in head
