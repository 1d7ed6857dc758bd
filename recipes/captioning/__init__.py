"""Captioning, from pictures or short videos with sentences."""
