"""Tests of ``minicloud.controller``."""
