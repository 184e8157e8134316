"""Tests of minicloud."""
