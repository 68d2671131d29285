"""A product's digital passport: everything that the law lists, as page, JSON-LD and PDF, with versions."""
