"""Tests of the records and of the stores."""
