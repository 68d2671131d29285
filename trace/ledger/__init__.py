"""The append-only ledger: RFC 6962 tree, C2SP checkpoints, tiles and receipts that strangers can verify."""
