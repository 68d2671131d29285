"""The training village: the same program over a folder, a database and keys of its own, to try everything out in."""
