"""The training loop and what recipes share."""
