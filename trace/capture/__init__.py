"""EPCIS 2.0 over REST: what others say of our lots, and our own history for any GS1 system to ask."""
