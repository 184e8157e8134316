"""How commands reach a running Otter: credentials, endpoint, HTTP, refusals."""
