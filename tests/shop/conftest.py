"""What several tests of the shop set up."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.platforms.facebook import FacebookFake, facebook_fake
from tests.support.stream import Stream
from tests.support.village import Village


@pytest.fixture
def facebook(app: Flask) -> Iterator[FacebookFake]:
    """Facebook's page with a live video."""
    with facebook_fake() as fake:
        fake.connect(app)
        fake.go_live()
        yield fake


@pytest.fixture
def stream(app: Flask, village: Village, facebook: FacebookFake) -> Stream:
    """A session that reads it."""
    return Stream(app, village)
