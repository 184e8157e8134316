"""What only operators reach: a listener of its own, without tokens, never on a public address."""
