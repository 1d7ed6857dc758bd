"""Anomaly detection in series, from tables of what is usual."""
