"""Scans counted by several processes at once: none is lost at an orderly end, and little to `kill -9`."""

import time

import pytest
from flask import Flask
from sqlalchemy import select

from tests.support.packs import PHONE, address, issued
from tests.support.serving import Served, start
from tests.support.village import Village
from trace.units.models import ScanSalt, Unit, UnitScan
from village.db import db
from village.settings import Settings

pytestmark = [pytest.mark.processes]
ASKED = 40


def ask(served: Served, path: str, times: int) -> None:
    """Scan over fresh connections, so that both workers are asked."""
    for number in range(times):
        connection = served.connect()
        headers = {"User-Agent": f"{PHONE} {number % 5}", "Sec-Fetch-Site": "none", "Connection": "close"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        connection.close()


def scans(serial: str) -> int:
    db.session.rollback()
    return db.session.scalars(select(Unit.scans).where(Unit.serial == serial)).one()


def test_scans_of_two_processes_add_up_and_survive_the_end(app: Flask, settings: Settings, village: Village) -> None:
    lot = village.batch(village.packs(8))
    ended, killed = issued(village, lot.id, 2)
    db.session.rollback()
    served = start(settings, workers=2)
    try:
        ask(served, address(lot, ended), ASKED)
        served.stop()
        assert scans(ended) == ASKED
        # Both processes had one secret: five phones in one network leave no more marks than five.
        (day,) = db.session.scalars(select(UnitScan)).all()
        assert (day.hands.bit_count() <= 5, day.networks.bit_count()) == (True, 1)
        assert len(db.session.scalars(select(ScanSalt)).all()) == 1
        db.session.rollback()
        served = start(settings, workers=2)
        ask(served, address(lot, killed), ASKED)
        time.sleep(2.5)
        ask(served, address(lot, killed), 1)
        served.kill()
        assert ASKED <= scans(killed) <= ASKED + 1
    finally:
        served.kill()
