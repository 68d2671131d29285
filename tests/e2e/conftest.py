"""A real server over a settled village, and phones that walk about on it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.cutting import Road, road
from tests.support.fieldphone import FieldPhone
from tests.support.serving import Served, serving, start
from tests.support.village import Village
from village.people.services import console, hand_out_link
from village.settings import ROOT, Settings

# Two cores serve, browse and test at once: a large photo takes them some seconds to shrink.
expect.set_options(timeout=15_000)
PHONE = {"width": 360, "height": 740}
STICKS_OUT = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
  [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.tagName + "." + e.className + "#" + e.id)"""
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a word to anybody outside."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing; `make test` installs it on Debian")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    """The village served by gunicorn, for pages to be looked at: one process is enough, and nobody misses its end."""
    served = start(settings, workers=1)
    yield served
    served.kill()


@pytest.fixture
def gunicorn(settings: Settings) -> Iterator[Served]:
    """The village as it is really served, by processes of its own."""
    with serving(settings) as served:
        yield served


Opener = Callable[..., Page]
Ready = Callable[..., tuple[FieldPhone, str]]


@pytest.fixture
def phone(chromium: Browser, app: Flask, village: Village, served: Served) -> Iterator[Opener]:
    """Opens a phone of its own; with a user name, signed in by a one-time link. Fails on any error in its console."""
    contexts = []
    errors: list[str] = []

    def open_phone(username: str = "", size: dict[str, int] = PHONE, javascript: bool = True) -> Page:
        context = chromium.new_context(
            viewport=size,  # type: ignore[arg-type]  # a size as the library wants it
            base_url=served.url,
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            java_script_enabled=javascript,
            accept_downloads=True,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        # A form that is shown again with its mistake answers 422, which the console calls an error.
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" and "422" not in m.text else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if username:
            member = village.member(username)
            page.goto(f"/sign-in/link/{hand_out_link(console(member.cooperative_id), member.id)}")
            page.get_by_role("button", name="Vào").click()
        return page

    yield open_phone
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def shoot(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Checks that nothing of a page sticks out sideways; with `--pictures`, keeps a picture of it."""
    kept = request.config.getoption("--pictures")
    folder = ROOT / "docs" / "pictures" / "walk"

    def take(page: Page, name: str, whole: bool = False) -> None:
        assert page.evaluate(STICKS_OUT) == [], f"{page.url} is too wide"
        if not kept:
            return
        folder.mkdir(parents=True, exist_ok=True)
        size = page.viewport_size
        assert size is not None
        if whole:
            # A phone as long as the page: bars that stick to the screen's edge stand where the page ends.
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": size["width"], "height": height})
        page.screenshot(path=folder / f"{name}.png", animations="disabled")
        page.set_viewport_size(size)

    return take


@pytest.fixture
def house(settings: Settings) -> Iterator[Served]:
    """The village behind `way`, in one process: who dies, dies whole."""
    served = start(settings, workers=1)
    yield served
    served.kill()


@pytest.fixture
def way(house: Served) -> Iterator[Road]:
    """A road to the village that can be cut."""
    with road(house.port) as made:
        yield made


@pytest.fixture
def field_phones(chromium: Browser, app: Flask, way: Road, tmp_path: Path) -> Iterator[Callable[..., FieldPhone]]:
    """Phones with the field app; `own` for one that can be killed and opened again."""
    made: list[FieldPhone] = []

    def get(*, own: bool = False) -> FieldPhone:
        phone = FieldPhone(chromium, way.url, tmp_path / f"phone-{len(made)}" if own else None)
        made.append(phone)
        return phone.open()

    yield get
    for phone in made:
        phone.close()
    assert [error for phone in made for error in phone.errors] == []


@pytest.fixture
def ready(field_phones: Callable[..., FieldPhone], village: Village) -> Ready:
    """Gives a phone whose owner is signed in and whose key the office approved, and that key."""

    def get(username: str = "producer", *, own: bool = False) -> tuple[FieldPhone, str]:
        phone = field_phones(own=own)
        phone.sign_in(village, username)
        if own:
            # Closed once, so that its cookie is on the disk: a browser takes half a minute for that.
            phone.close()
            phone.open()
        phone.start()
        return phone, phone.enrol(village)

    return get
