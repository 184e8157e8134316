"""Benchmarks that print ratios against a yardstick measured in the same run."""
