"""Tests of Otter and minicloud."""

from hypothesis import HealthCheck, settings

# A busy machine is slow to generate inputs; how long that takes says nothing about a property.
settings.register_profile("otter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("otter")
