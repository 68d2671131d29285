"""Batches and how they came out of each other."""
