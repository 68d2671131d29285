"""What the village makes: products with their GTIN."""
