"""Orders: placed by a buyer, worked by sellers, followed by both."""
