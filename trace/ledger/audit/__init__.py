"""Checking the whole stored log: in chunks, on all cores, to be gone on with after a break."""
