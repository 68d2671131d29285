"""Every day: what the bank says, against what was booked."""
