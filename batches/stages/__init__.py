"""Stages: a producer says what was done, on a page or through the API."""
