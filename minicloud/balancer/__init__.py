"""
Load balancers: one API-neutral model, a data plane that forwards TCP, and the Cloud Load Balancers
v1.0 face over them.
"""

from minicloud.balancer.balancers import Balancers
from minicloud.balancer.clb import clb_app

__all__ = ["Balancers", "clb_app"]
