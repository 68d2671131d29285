"""Platforms over HTTP, with memory and moods: they drop, repeat, reorder, delay, fail and come back by a seed."""
