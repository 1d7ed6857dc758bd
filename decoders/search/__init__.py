"""Search for the best labels."""
