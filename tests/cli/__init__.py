"""Tests of the terminal's face."""
