"""Cards through Stripe Checkout: the buyer pays on Stripe's page, its signed events and our own looking say what came.

Card numbers never pass through here. Everything at Stripe is asked outside of our transactions, under idempotency keys
that are ours, and nothing that is posted is believed: its object is fetched afresh.
"""
