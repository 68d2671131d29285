"""How a parcel gets to its buyer: one interface, a carrier and the seller's own hands."""
