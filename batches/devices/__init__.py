"""The keys of producers' phones."""
