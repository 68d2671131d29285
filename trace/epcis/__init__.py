"""EPCIS 2.0 events, as pure builders."""
