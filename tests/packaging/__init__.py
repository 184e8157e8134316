"""Tests of the repository itself: the runner, the import rules, the shape of the code."""
