"""Generated sequences of calls, against a model written from the contract alone."""
