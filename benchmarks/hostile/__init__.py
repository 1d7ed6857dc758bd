"""Hostile input of all kinds: each gives a result or one of our errors, soon and in little memory."""
