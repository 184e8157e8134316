"""Compute nodes: each runs servers through one driver."""
