"""Shipped campaigns: one folder of TOML each, no code."""
