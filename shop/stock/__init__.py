"""Packs that can be sold: a projection of the ledger by lot."""
