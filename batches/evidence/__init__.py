"""Evidence of the work: photos taken in, laboratories' reports, and batches held back until they are cleared."""
