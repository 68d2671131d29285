"""The sellers' console: orders to confirm, pick and send."""
