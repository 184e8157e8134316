"""Tests of ``otter.cloud``."""
