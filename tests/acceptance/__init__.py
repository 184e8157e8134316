"""Tests that install and start the real services and use them over real sockets."""
