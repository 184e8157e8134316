"""Tests of ``minicloud.node``."""
