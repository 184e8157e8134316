"""Tests of the REST API, driven over its real site."""
