"""Forecasting of series, from tables of their past."""
