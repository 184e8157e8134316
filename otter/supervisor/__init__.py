"""Keeps groups at their desired capacity: debounce, gather, plan, record intents, dispatch jobs."""
