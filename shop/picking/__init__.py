"""Which very packs went into an order's parcel, where the seller cares to say so."""
