"""An invented village with a believable season, for whoever wants to look before logging the first tuber."""
