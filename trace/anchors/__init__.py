"""Anchors: an independent authority's word (RFC 3161) that a checkpoint existed by a certain time."""
