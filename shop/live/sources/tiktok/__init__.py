"""TikTok Shop: orders that viewers place in its own basket during a live, taken over so that the same packs are kept.

TikTok publishes no interface for a live's comments; a comment reader's come by the signed webhook.
"""
