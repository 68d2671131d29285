"""A season by spreadsheet: sent in, looked over whole, and only then recorded; and handed out in the same columns."""
