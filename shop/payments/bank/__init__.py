"""Accounts that transfers go to, what came there, and who tells us of it."""
