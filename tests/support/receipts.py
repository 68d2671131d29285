"""The receipt of an entry against the newest checkpoint, whether a witness has seen it or not."""

from trace.ledger import merkle, store
from trace.ledger.proof import Proof
from village.db import db


def receipt(index: int) -> Proof:
    """The receipt of entry `index`."""
    state = store.ensure_born()
    plan = merkle.inclusion_plan(index, state.size)
    path = merkle.assemble(plan, store.nodes(db.session(), merkle.nodes_needed(plan)))
    return Proof(index, path, state.checkpoint)
