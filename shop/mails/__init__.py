"""What a buyer who gave an e-mail address is written about the order."""
