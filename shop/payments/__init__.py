"""Money in and money back: what was asked for, what came, and what somebody has to look at."""
