"""Performs jobs: one idempotent step at a time per server or load balancer, within budgets."""
