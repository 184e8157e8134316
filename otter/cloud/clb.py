"""
Speak to Rackspace Cloud Load Balancers v1.0: load balancers of one tenant and their nodes.

Note [Removing what is not there]
    A removal that names one unknown node removes none of its batch, and services word that refusal
    differently. So after a refusal the nodes are looked at, and the removal is made once more with
    those that are there; if that changes nothing the refusal stands.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from otter.cloud.errors import InvalidRequestError, NotFoundError
from otter.cloud.http import reading
from otter.cloud.interface import LoadBalancer, Node, NodeCondition
from otter.cloud.session import Session
from otter.models.ids import LoadBalancerId, NodeId

REMOVE_LIMIT = 10
"""How many nodes one removal may name; beyond that the service silently ignores the rest."""

_HEALTH = {"ONLINE": True, "OFFLINE": False}


class CloudLoadBalancers:
    """The load balancers of one tenant; see ``Cloud`` for what each method promises."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get_load_balancer(self, load_balancer_id: LoadBalancerId) -> LoadBalancer:
        """See ``Cloud``."""
        answer = await self._session.call("GET", _path(load_balancer_id))
        balancer = balancer_of(answer.json())
        if balancer.status == "DELETED":
            raise NotFoundError("the load balancer is deleted", status=answer.status)
        return balancer

    async def add_nodes(
        self, load_balancer_id: LoadBalancerId, nodes: Sequence[tuple[str, int]]
    ) -> None:
        """See ``Cloud``."""
        if not nodes:
            return
        document = {
            "nodes": [
                {"address": address, "port": port, "condition": "ENABLED", "type": "PRIMARY"}
                for address, port in nodes
            ]
        }
        await self._session.call("POST", f"{_path(load_balancer_id)}/nodes", document=document)

    async def change_node(
        self, load_balancer_id: LoadBalancerId, node_id: NodeId, condition: NodeCondition
    ) -> None:
        """See ``Cloud``."""
        document = {"node": {"condition": condition.value, "type": "PRIMARY", "weight": 1}}
        path = f"{_path(load_balancer_id)}/nodes/{quote(node_id, safe='')}"
        await self._session.call("PUT", path, document=document)

    async def remove_nodes(
        self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]
    ) -> None:
        """See ``Cloud``."""
        for first in range(0, len(node_ids), REMOVE_LIMIT):
            await self._remove_batch(load_balancer_id, node_ids[first : first + REMOVE_LIMIT])

    async def _remove_batch(
        self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]
    ) -> None:
        """Remove a batch; see Note [Removing what is not there]."""
        try:
            await self._remove(load_balancer_id, node_ids)
        except (NotFoundError, InvalidRequestError) as refusal:
            there = await self._those_there(load_balancer_id, node_ids)
            if len(there) == len(node_ids):
                raise refusal from None
            if there:
                await self._remove(load_balancer_id, there)

    async def _remove(self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]) -> None:
        path = f"{_path(load_balancer_id)}/nodes"
        params = [("id", node_id) for node_id in node_ids]
        await self._session.call("DELETE", path, params=params)

    async def _those_there(
        self, load_balancer_id: LoadBalancerId, node_ids: Sequence[NodeId]
    ) -> list[NodeId]:
        """Return those of the nodes that can still be removed: none once it is on its way out."""
        try:
            balancer = await self.get_load_balancer(load_balancer_id)
        except NotFoundError:
            return []
        if balancer.leaving:
            return []
        known = {node.node_id for node in balancer.nodes}
        return [node_id for node_id in node_ids if node_id in known]


def balancer_of(document: Any) -> LoadBalancer:
    """
    Return the load balancer that a document tells of. Pure.

    :raises TransientError: it is not shaped like one.
    """
    with reading("load balancer"):
        balancer = document["loadBalancer"]
        monitored = bool(balancer.get("healthMonitor"))
        nodes = balancer.get("nodes") or []
        if not isinstance(nodes, list):
            raise TypeError("nodes are not a list")
        return LoadBalancer(
            load_balancer_id=LoadBalancerId(_id(balancer["id"])),
            status=balancer["status"].upper(),
            nodes=tuple(_node(node, monitored=monitored) for node in nodes),
            health_monitored=monitored,
        )


def _node(node: Mapping[str, Any], *, monitored: bool) -> Node:
    connections = node.get("connections")
    return Node(
        node_id=NodeId(_id(node["id"])),
        address=node["address"],
        port=int(node["port"]),
        condition=NodeCondition(node["condition"].upper()),
        online=_HEALTH.get(str(node.get("status")).upper()) if monitored else None,
        connections=connections if isinstance(connections, int) else None,
        plain=node.get("type", "PRIMARY") == "PRIMARY" and node.get("weight", 1) == 1,
    )


def _id(value: object) -> str:
    """Return an id as text, whether the wire has it as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise TypeError("not an id")
    return str(value)


def _path(load_balancer_id: LoadBalancerId) -> str:
    return f"/loadbalancers/{quote(load_balancer_id, safe='')}"
