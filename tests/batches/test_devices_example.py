"""The phone in docs/api.md is true to the code: it is run as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from batches.devices import services
from batches.devices.models import Device
from tests.support.phone import LOG
from tests.support.serving import serving
from tests.support.village import Village
from trace.events.models import Event
from trace.ledger import store
from trace.ledger.canonical import parse
from trace.ledger.keyring import Keyring, SignedBy
from village.db import db
from village.settings import ROOT, Settings


@pytest.mark.processes
def test_the_phone_of_the_guide_is_enrolled_and_signs(
    app: Flask, settings: Settings, village: Village, tmp_path: Path
) -> None:
    found = re.search(r"^```python\n(.*?)^```", (ROOT / "docs" / "api.md").read_text(), re.M | re.S)
    assert found is not None
    script = tmp_path / "phone.py"
    script.write_text(found[1])
    token = village.token("producer")
    db.session.remove()

    def run(url: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script)], cwd=tmp_path, env={**os.environ, "BASE": url, "TOKEN": token},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    with serving(settings, workers=1) as served:
        asked = run(served.url)
        assert asked.returncode == 1 and "The key is pending" in asked.stderr, asked.stderr
        key = db.session.scalars(select(Device.key)).one()
        enrolled = services.approve(village.actor("office"), key).enrolled_entry
        assert enrolled is not None
        for _ in range(2):
            told = run(served.url)
            assert told.returncode == 0, told.stderr
    db.session.rollback()
    ring = Keyring(LOG)
    ring.learn(enrolled, parse(store.entry(enrolled).body))
    events = db.session.scalars(select(Event).order_by(Event.entry_index)).all()
    signed = [ring.check(event.entry_index, parse(store.entry(event.entry_index).body)) for event in events]
    assert signed == [SignedBy("device", key, 1), SignedBy("device", key, 2)]
    assert events[0].note == "Ruộng trên, đất còn ướt"
