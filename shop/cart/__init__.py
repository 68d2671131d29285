"""What a buyer has gathered and not ordered yet."""
