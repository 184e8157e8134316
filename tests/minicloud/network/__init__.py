"""Tests of ``minicloud.network``."""
