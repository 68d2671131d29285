"""A seller gives money back, wholly or in part: to the card through Stripe, by transfer or in cash by hand."""
