"""Known labels placed in frames: short and long."""
