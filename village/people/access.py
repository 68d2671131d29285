"""Who is asking, and what they may do: the one place that authorises by role; services add the owner."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import g

from village.errors import Forbidden, Unauthenticated
from village.i18n import lazy_gettext as _l
from village.people.models import Role

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Actor:
    """A signed-in member, as far as authorisation needs to know. A value: it never goes stale inside a request."""

    id: str
    username: str
    name: str
    roles: frozenset[Role]
    cooperative_id: str
    household_id: str | None

    def has(self, *roles: Role) -> bool:
        """True with any of `roles`."""
        return not self.roles.isdisjoint(roles)

    def works_for(self, household_id: str, cooperative_id: str) -> bool:
        """True for a producer of that household, and for the office of its cooperative."""
        if self.has(Role.OFFICE) and self.cooperative_id == cooperative_id:
            return True
        return self.has(Role.PRODUCER) and self.household_id == household_id


def actor() -> Actor | None:
    """Who is asking; None for a guest. Found once per request by `village.people.sign_in`."""
    from village.people.sign_in import actor_of_request  # it needs Actor, so it is found late

    if "actor" not in g:
        g.actor = actor_of_request()
    found: Actor | None = g.actor
    return found


def signed_in() -> Actor:
    """Who is asking, or Unauthenticated."""
    who = actor()
    if who is None:
        raise Unauthenticated("sign-in-needed", _l("Bác đăng nhập rồi làm tiếp nhé."))
    return who


def requires(*roles: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A view that only members with one of `roles` may call; without roles, any member."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            who = signed_in()
            if roles and not who.has(*roles):
                raise wrong_role()
            return view(*args, **kwargs)

        guarded.required_roles = roles  # type: ignore[attr-defined]  # read by the test of all addresses
        return guarded

    return decorate


def wrong_role() -> Forbidden:
    """For an address that belongs to another role."""
    return Forbidden("wrong-role", _l("Trang này dành cho người làm việc khác trong hợp tác xã."))


def not_yours(**details: Any) -> Forbidden:
    """For a thing that belongs to somebody else."""
    return Forbidden("not-yours", _l("Cái này của hộ khác, bác không sửa được."), **details)
