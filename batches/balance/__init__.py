"""Mass balance: where the kilograms went, for one batch, a household's season and the whole village."""
