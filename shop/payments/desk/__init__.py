"""Money that a person has to decide about."""
