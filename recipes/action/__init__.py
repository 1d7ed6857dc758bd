"""Actions in videos: the recipe and what only it needs."""
