"""The network controller: a subnet per project and a fixed address per server."""
