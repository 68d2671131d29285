"""Sensors of dryers and starch tanks: their keys, their readings, their alarms, and what of it goes with a batch."""
