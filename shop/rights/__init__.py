"""What the law gives a buyer: who sells to her, what is kept of her, and having it forgotten."""
