"""How producers record what they make: processes, stages, mass balance."""
