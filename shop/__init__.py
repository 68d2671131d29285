"""How it is sold: catalogue, stock, orders, livestreams."""
