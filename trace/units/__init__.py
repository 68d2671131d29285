"""Single packs: their serial numbers, what becomes of each, and signs that a label was copied."""
