"""The cloud controller: every server's record, quotas, placing of servers on nodes."""
