"""What each household is owed for the packs of its lots that were sold."""
