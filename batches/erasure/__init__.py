"""Forgetting personal data: what the office does when somebody leaves or takes her words back."""
