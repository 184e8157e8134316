"""Tests of ``minicloud.api.compute``."""
