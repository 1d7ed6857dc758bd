"""Decisions over time, by acting in an environment (recurrent PPO)."""
