"""What happened and how anyone can prove it: ledger, events, lots, labels, scan page."""
