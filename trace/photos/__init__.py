"""Pictures of the work: kept once under their SHA-256, shown beside the stage whose ledger entry names them."""
