"""The office's pages on its cooperative, households, hamlets and sites."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from village.errors import BadInput, Conflict
from village.forms import Form
from village.i18n import gettext as _
from village.i18n import lazy_gettext as _l
from village.people.access import requires, signed_in
from village.people.models import Role
from village.people.phones import shown_phone
from village.places import schemas, services
from village.places.models import Household, Site

places = Blueprint("places", __name__, url_prefix="/coop", template_folder="templates")

KIND_NAMES = {"field": _l("Nương, ruộng"), "workshop": _l("Xưởng"), "store": _l("Kho")}


@places.get("/about")
@requires(Role.OFFICE)
def about() -> ResponseReturnValue:
    """How scan pages name the cooperative."""
    it = services.cooperative_of(signed_in())
    form = Form(
        {"name": it.name, "address": it.address, "phone": shown_phone(it.phone), "registration": it.registration}
    )
    return render_template("places/about.html", form=form, gln=it.gln)


@places.post("/about")
@requires(Role.OFFICE)
def edit_about() -> ResponseReturnValue:
    """Change it."""
    form, who = Form.typed(), signed_in()
    try:
        services.edit_cooperative(who, schemas.cooperative_fields(form))
    except (BadInput, Conflict) as error:
        page = render_template("places/about.html", form=form.refused(error), gln=services.cooperative_of(who).gln)
        return page, error.status
    flash(_("Đã sửa."), "done")
    return redirect("/coop")


@places.get("/hamlets")
@requires(Role.OFFICE, Role.AUDITOR)
def all_hamlets() -> ResponseReturnValue:
    """The commune's bản."""
    return _hamlets(Form())


@places.post("/hamlets")
@requires(Role.OFFICE)
def add_hamlet() -> ResponseReturnValue:
    """One more bản."""
    form = Form.typed()
    try:
        services.add_hamlet(signed_in(), form.text("name"))
    except (BadInput, Conflict) as error:
        return _hamlets(form.refused(error)), error.status
    flash(_("Đã thêm bản."), "done")
    return redirect(url_for("places.all_hamlets"))


@places.get("/households")
@requires(Role.OFFICE, Role.AUDITOR)
def all_households() -> ResponseReturnValue:
    """The cooperative's households."""
    who = signed_in()
    return render_template(
        "places/households.html", households=services.households_of(who.cooperative_id), office=who.has(Role.OFFICE)
    )


@places.get("/households/new")
@requires(Role.OFFICE)
def new_household() -> ResponseReturnValue:
    """The form for a new household."""
    return _household(Form())


@places.post("/households/new")
@requires(Role.OFFICE)
def add_household() -> ResponseReturnValue:
    """Take a household in."""
    form = Form.typed()
    try:
        services.add_household(signed_in(), schemas.household_fields(form))
    except (BadInput, Conflict) as error:
        return _household(form.refused(error)), error.status
    flash(_("Đã thêm hộ."), "done")
    return redirect(url_for("places.all_households"))


@places.get("/households/<household_id>")
@requires(Role.OFFICE)
def household(household_id: str) -> ResponseReturnValue:
    """A household, with the form to change it."""
    it = services.household_of(signed_in(), household_id)
    return _household(Form({"name": it.name, "hamlet": it.hamlet_id, "story": it.story, "named": it.named}), it)


@places.post("/households/<household_id>")
@requires(Role.OFFICE)
def edit_household(household_id: str) -> ResponseReturnValue:
    """Change a household."""
    form, who = Form.typed(), signed_in()
    try:
        services.edit_household(who, household_id, schemas.household_fields(form))
    except (BadInput, Conflict) as error:
        return _household(form.refused(error), services.household_of(who, household_id)), error.status
    flash(_("Đã sửa."), "done")
    return redirect(url_for("places.all_households"))


@places.get("/sites")
@requires(Role.OFFICE, Role.AUDITOR)
def all_sites() -> ResponseReturnValue:
    """The cooperative's sites."""
    who = signed_in()
    return render_template(
        "places/sites.html", sites=services.sites_of(who.cooperative_id), kind_names=KIND_NAMES,
        office=who.has(Role.OFFICE),
    )  # fmt: skip


@places.get("/sites/new")
@requires(Role.OFFICE)
def new_site() -> ResponseReturnValue:
    """The form for a new site."""
    return _site(Form())


@places.post("/sites/new")
@requires(Role.OFFICE)
def add_site() -> ResponseReturnValue:
    """Put a site on the list."""
    form = Form.typed()
    try:
        services.add_site(signed_in(), schemas.site_fields(form))
    except (BadInput, Conflict) as error:
        return _site(form.refused(error)), error.status
    flash(_("Đã thêm địa điểm."), "done")
    return redirect(url_for("places.all_sites"))


@places.get("/sites/<site_id>")
@requires(Role.OFFICE)
def site(site_id: str) -> ResponseReturnValue:
    """A site, with the form to change it."""
    it = services.site_of(signed_in(), site_id)
    values = {
        "name": it.name, "kind": it.kind, "gln": it.gln, "hamlet": it.hamlet_id, "household": it.household_id,
        "latitude": it.latitude, "longitude": it.longitude, "area": it.area_m2,
    }  # fmt: skip
    return _site(Form(values), it)


@places.post("/sites/<site_id>")
@requires(Role.OFFICE)
def edit_site(site_id: str) -> ResponseReturnValue:
    """Change a site."""
    form, who = Form.typed(), signed_in()
    try:
        services.edit_site(who, site_id, schemas.site_fields(form))
    except (BadInput, Conflict) as error:
        return _site(form.refused(error), services.site_of(who, site_id)), error.status
    flash(_("Đã sửa."), "done")
    return redirect(url_for("places.all_sites"))


@places.post("/sites/<site_id>/<any(open, close):what>")
@requires(Role.OFFICE)
def use_site(site_id: str, what: str) -> ResponseReturnValue:
    """Open a site for new records, or close it."""
    services.use_site(signed_in(), site_id, what == "open")
    flash(_("Địa điểm dùng lại được rồi.") if what == "open" else _("Địa điểm đã đóng."), "done")
    return redirect(url_for("places.all_sites"))


def _hamlets(form: Form) -> str:
    office = signed_in().has(Role.OFFICE)
    return render_template("places/hamlets.html", form=form, hamlets=services.hamlets(), office=office)


def _household(form: Form, it: Household | None = None) -> str:
    return render_template("places/household.html", form=form, it=it, hamlets=_hamlet_choices())


def _site(form: Form, it: Site | None = None) -> str:
    households = [("", _("Chung của hợp tác xã"))]
    households += [(home.id, home.name) for home in services.households_of(signed_in().cooperative_id)]
    return render_template(
        "places/site.html", form=form, it=it, hamlets=_hamlet_choices(), households=households, kind_names=KIND_NAMES
    )


def _hamlet_choices() -> list[tuple[str, str]]:
    return [("", _("Chọn bản")), *((hamlet.id, hamlet.name) for hamlet in services.hamlets())]
