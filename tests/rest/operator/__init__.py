"""Tests of what only operators reach."""
