"""Cooperatives, households, hamlets and sites."""
