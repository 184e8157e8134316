"""minicloud: a real little OpenStack-style cloud on one machine. It never imports otter."""
