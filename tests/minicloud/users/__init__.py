"""Tests of ``minicloud.users``."""
