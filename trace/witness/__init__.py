"""A witness for other villages' logs: it sees that a log only grows, and signs what it saw. Needs no village."""
