"""Does a claimed event look as if it told of a person? Then its bytes stay off the ledger, where nothing can be erased.

It guesses, and rather too often: the price of a false alarm is that an event stands on the ledger by its hash alone.
"""

import re
from collections.abc import Mapping
from typing import Any

_MAIL = re.compile(r"[^\s@/]{1,64}@[^\s@/]{1,190}\.[A-Za-z]{2,}")
_PHONE = re.compile(r"(?<![\d.])(?:\+\d{1,3}|0)(?:[ .-]?\d){8,11}(?!\d)")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_NAMES = frozenset(
    (
        "name", "fullname", "firstname", "lastname", "surname", "person", "driver", "drivername", "contact",
        "signature", "signedby", "operator", "employee", "worker", "consignee", "recipient", "customer", "buyer",
        "phone", "tel", "telephone", "mobile", "email", "mail", "address", "street", "birthdate", "idcard",
        "passport", "cccd", "cmnd",
    )
)  # fmt: skip


def tells_of_a_person(told: Any, name: str = "") -> bool:
    """Whether a text within looks like an e-mail address or a telephone number, or a field is named like a person's."""
    if isinstance(told, Mapping):
        return any(tells_of_a_person(value, key) for key, value in told.items() if key != "@context")
    if isinstance(told, list):
        return any(tells_of_a_person(one, name) for one in told)
    if not isinstance(told, str) or not told:
        return False
    bare = re.sub(r"[^a-z]", "", name.rpartition(":")[2].rpartition("/")[2].lower())
    if ":" in name and bare in _NAMES:
        return True
    if told.startswith(("tel:", "mailto:")):
        return True
    # GS1's keys are long numbers too.
    return not _ADDRESS.fullmatch(told) and bool(_MAIL.search(told) or _PHONE.search(told))
