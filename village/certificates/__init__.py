"""Certificates that somebody else gave: OCOP stars, food safety, quality."""
