"""The keeper: one small process that does what the log needs to have done by itself, and what it tells the office."""
