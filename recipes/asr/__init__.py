"""Speech recognition, from recordings with their texts."""
