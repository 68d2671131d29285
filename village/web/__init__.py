"""What every page and address has: frame, headers, logs, metrics, health."""
