"""GS1 identifiers: GTIN, GLN, SSCC, lots and Digital Link. Pure."""
