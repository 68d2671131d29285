"""Who came first, told to everybody without a name, and what proves it."""
