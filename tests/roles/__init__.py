"""Who gets what: every operation by every caller, with tokens of minicloud's identity."""
