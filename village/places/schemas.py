"""What the office types about places, checked."""

from dataclasses import dataclass
from typing import cast, get_args

from village import gs1
from village.errors import BadInput
from village.forms import Form, choice, optional_degrees, optional_number
from village.i18n import lazy_gettext as _l
from village.people.phones import clean_phone
from village.places.models import SiteKind
from village.text import clean_line, clean_name, clean_text

LARGEST_M2 = 10_000_000
"""A thousand hectares."""
SITE_KINDS: tuple[SiteKind, ...] = get_args(SiteKind)


@dataclass(frozen=True)
class CooperativeFields:
    """A cooperative as scan pages name it."""

    name: str
    address: str
    phone: str
    registration: str


@dataclass(frozen=True)
class HouseholdFields:
    """A household; `named` is its consent to be named on scan pages."""

    name: str
    hamlet_id: str
    story: str
    named: bool


@dataclass(frozen=True)
class SiteFields:
    """A place of work. `household_id` None: the cooperative's."""

    name: str
    kind: SiteKind
    gln: str
    hamlet_id: str
    household_id: str | None
    latitude: float | None
    longitude: float | None
    area_m2: int | None = None


def cooperative_fields(form: Form) -> CooperativeFields:
    """The fields of the cooperative's form; BadInput for the first one that is not right."""
    return CooperativeFields(
        name=clean_name(form.text("name"), "name"),
        address=clean_line(form.text("address"), "address", 300),
        phone=clean_phone(form.text("phone")),
        registration=clean_line(form.text("registration"), "registration", 60),
    )


def household_fields(form: Form) -> HouseholdFields:
    """The fields of a household's form; BadInput for the first one that is not right."""
    return HouseholdFields(
        name=clean_name(form.text("name"), "name"),
        hamlet_id=form.text("hamlet"),
        story=clean_text(form.text("story"), "story", 1000),
        named=form.ticked("named"),
    )


def site_fields(form: Form) -> SiteFields:
    """The fields of a site's form; BadInput for the first one that is not right."""
    fields = SiteFields(
        name=clean_name(form.text("name"), "name"),
        kind=cast(SiteKind, choice(form.text("kind"), "kind", SITE_KINDS)),
        gln=gs1.gln13(form.text("gln")),
        hamlet_id=form.text("hamlet"),
        household_id=form.text("household") or None,
        latitude=optional_degrees(form.text("latitude"), "latitude", 90),
        longitude=optional_degrees(form.text("longitude"), "longitude", 180),
        area_m2=optional_number(form.text("area"), "area", 1, LARGEST_M2),
    )
    if (fields.latitude is None) != (fields.longitude is None):
        at_fault = "latitude" if fields.latitude is None else "longitude"
        raise BadInput("half-a-position", _l("Vĩ độ và kinh độ đi với nhau, bác điền cả hai."), field=at_fault)
    return fields
