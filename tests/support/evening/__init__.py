"""A simulated evening: what viewers write, what carries it to us, who shops meanwhile, and what must be true of it."""
