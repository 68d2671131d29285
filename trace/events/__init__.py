"""What happened to batches, as EPCIS events on the ledger."""
