"""Measurements that people run: each prints its figure beside the one it is held against."""
