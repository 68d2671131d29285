"""A seller tells anew why a parcel came back."""

from shop.delivery import steps as parcels
from shop.delivery.models import Shipment
from shop.delivery.states import DeliveryState
from shop.refusals.keeping import TELLING, told_in
from village.db import write
from village.errors import BadInput, Conflict
from village.i18n import lazy_gettext as _l
from village.people.access import Actor


def tell_anew(actor: Actor, shipment_id: str, why: str) -> Shipment:
    """`refused`, `unreachable` or `other`, of a parcel that came back. NotFound for another cooperative's, Conflict for
    one that has not come back."""
    parcels.find(actor, shipment_id)
    if why not in (*TELLING, "other"):
        raise BadInput("no-such-reason", _l("Bác chọn một lẽ nhé."), field="why")
    with write() as session:
        shipment = parcels.locked(session, shipment_id)
        if shipment.state is not DeliveryState.RETURNED or shipment.taken_back_at is None:
            raise Conflict("not-back", _l("Kiện này chưa về tay."))
        told_in(session, shipment.order, shipment, why)
        return shipment
