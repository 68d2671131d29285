"""Where a session's comments come from: platforms, programs that read them, and people who paste or type."""
