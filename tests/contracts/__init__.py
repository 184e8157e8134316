"""What every implementation of an interface promises; the fake and the real inherit these."""
