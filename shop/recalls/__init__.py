"""The shop's side of a recall: whose orders, who is told, and the office's pages that follow it to its end."""
