"""What laboratories found: reports on lots, products and places, each with the laboratory's own paper."""
