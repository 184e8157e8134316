"""Tests of Otter and minicloud."""
