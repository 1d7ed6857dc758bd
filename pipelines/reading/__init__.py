"""What readers of all modalities share."""
