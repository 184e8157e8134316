"""
The only package that speaks to a provider: identity, compute, load balancing, customer webhooks.
"""
