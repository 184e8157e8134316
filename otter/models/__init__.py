"""Frozen records, the ``Store`` interface and its implementations; imports nothing else of ours."""
