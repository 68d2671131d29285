"""Orders from the comments of a live sale."""
