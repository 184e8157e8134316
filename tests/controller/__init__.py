"""Tests of otter/controller."""
