"""Otter: keeps the right number of healthy servers running on OpenStack-style clouds."""
