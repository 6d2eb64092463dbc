"""What was used, what it cost, how fast and how good it was: events, their sums by day, and reports of them."""
