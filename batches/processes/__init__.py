"""How each product is made: one YAML file a process, and their loader."""
