"""Whole systems on a simulated clock, with faults, judged by what the cloud holds."""
