"""Tests of minicloud's load balancers."""
