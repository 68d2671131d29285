"""The page that a buyer sees when she scans a pack."""
