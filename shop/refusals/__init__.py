"""Parcels that nobody took: what they cost the next order of the same number, for how long, and who may object."""
