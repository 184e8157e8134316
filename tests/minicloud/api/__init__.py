"""Tests of ``minicloud.api``."""
