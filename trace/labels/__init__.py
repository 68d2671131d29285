"""QR codes and printed labels."""
