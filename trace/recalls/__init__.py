"""Recalls: a bad lot and all that came of it, found and stopped at once, and followed until every pack is known of."""
