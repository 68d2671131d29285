"""What tests share: a settled village, and hands to do things in it."""
