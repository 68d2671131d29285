"""Addresses in Vietnam as people type them, and as they are called since the reform of July 2025."""
