"""The field app: a phone that logs stages with no network, and what the office hears of those that got stuck."""
