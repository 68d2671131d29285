"""The least that Flask can be under the same server: what our figures are measured against."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Say hello."""
    return "hello world"


@app.get("/healthz")
def live() -> str:
    """For whoever waits for the server to start."""
    return "ok\n"
