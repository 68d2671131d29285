"""The frame, the small macros and the pictures: what every page is made of."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from village.web import strand

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "village" / "web" / "templates"
PICTURES = sorted((ROOT / "static" / "pictures").glob("*.svg"))


def translate(message: str, /, **values: object) -> str:
    return message % values if values else message


@pytest.fixture
def jinja() -> Iterator[Environment]:
    env = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    env.globals.update(strand.TEMPLATE_GLOBALS, _=translate, asset=lambda path: f"/static/{path}")
    env.filters.update(dong=lambda amount: f"{amount} đ", number=str)
    yield env


def draw(jinja: Environment, source: str, **context: object) -> str:
    page = '{% from "macros/strand.html" import strand, mini_strand, graph %}'
    page += '{% from "macros/ui.html" import field, choice_cards %}'
    return jinja.from_string(page + source).render(**context)


def rows(html: str) -> list[str]:
    return re.findall(r'<li class="knot.*?</li>', html, re.DOTALL)


def test_the_strand_is_an_ordered_list_with_the_pack_first(jinja: Environment) -> None:
    html = draw(jinja, "{{ strand(knots) }}", knots=[{"title": "Đóng gói"}, {"title": "Đào củ"}])
    assert html.count("<ol") == 1
    assert [re.search("<h3>(.*?)</h3>", row)[1] for row in rows(html)] == ["Đóng gói", "Đào củ"]  # type: ignore[index]
    assert "loose" not in html


def test_nothing_above_a_cut_is_drawn_as_proven(jinja: Environment) -> None:
    knots = [
        {"title": "Đóng gói"},
        {"title": "Phơi", "state": "cut", "why": "Số cân không khớp"},
        {"title": "Đào củ"},
    ]
    pack, dry, harvest = rows(draw(jinja, "{{ strand(knots) }}", knots=knots))
    assert "loose" in pack
    assert 'data-state="cut"' in dry
    assert "Số cân không khớp" in dry
    assert "loose" not in dry + harvest


def test_a_cut_can_be_named_by_its_place(jinja: Environment) -> None:
    html = draw(
        jinja,
        "{{ strand(knots, whole=false, cut_at=0) }}",
        knots=[{"title": "Đóng gói"}, {"title": "Đào củ"}],
    )
    assert ['data-state="cut"' in row for row in rows(html)] == [True, False]


def test_what_a_producer_typed_is_never_markup(jinja: Environment) -> None:
    html = draw(
        jinja, "{{ strand(knots) }}", knots=[{"title": "<b>x</b>", "text": "<script>", "why": '"><i>'}]
    )
    assert "<script>" not in html
    assert "<b>x" not in html
    assert "<i>" not in html


def test_a_graph_says_in_words_what_it_draws(jinja: Environment) -> None:
    nodes = [{"id": "a", "label": "Tinh bột"}, {"id": "b", "label": "Miến"}]
    assert "Miến làm từ Tinh bột" in draw(jinja, "{{ graph(nodes, [('a', 'b')]) }}", nodes=nodes)


def test_a_field_ties_its_error_to_the_input_and_keeps_what_was_typed(jinja: Environment) -> None:
    html = draw(jinja, "{{ field('grams', 'Bao nhiêu', 'nhiều', error='Bác ghi số giúp', hint='ký') }}")
    assert 'value="nhiều"' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="grams-hint grams-error"' in html


def test_a_chosen_card_stays_chosen(jinja: Environment) -> None:
    html = draw(
        jinja, "{{ choice_cards('w', 'Nắng', [(1, 'To', 'dry', ''), (2, 'Yếu', 'weather', '')], '2') }}"
    )
    assert re.findall(r'value="(\d)" checked', html) == ["2"]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_pictures_are_small_and_carry_no_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) <= (8 * 1024 if path.stem == "village" else 2048)
    assert not re.search(r"<script|<style|style=|on\w+=|href=.(?!#)", text)


def test_no_template_needs_an_inline_style_or_script() -> None:
    for path in TEMPLATES.rglob("*.html"):
        assert not re.search(
            r"<style|\sstyle=|<script(?![^>]*src=)|\son\w+=", path.read_text(encoding="utf-8")
        ), path
