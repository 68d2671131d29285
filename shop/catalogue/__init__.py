"""What there is to buy: storefront, product pages, the list for programs."""
