"""
Our marks on a server: how we recognise what we made.

A server is ours only if all three marks agree with the ledger: the deployment (two installations
may share an account), the group and the instance. Marks can be copied by whoever copies metadata,
so an entry that already names another server id never matches (promise S3).
"""

from attrs import frozen
from pyrsistent import PMap, pmap

from otter.cloud.interface import (
    DEPLOYMENT_KEY,
    GROUP_KEY,
    INSTANCE_KEY,
    LEGACY_GROUP_KEY,
    Server,
)
from otter.models.ids import DeploymentId, GroupId, InstanceId
from otter.models.ledger import LedgerEntry


@frozen
class Marks:
    """Whose server it is."""

    deployment_id: DeploymentId
    group_id: GroupId
    instance_id: InstanceId


def marks_of(server: Server) -> Marks | None:
    """
    Return the marks a server bears, or None unless all are there and the two group keys agree.
    """
    found = server.metadata
    group, instance = found.get(GROUP_KEY), found.get(INSTANCE_KEY)
    deployment = found.get(DEPLOYMENT_KEY)
    if not (group and instance and deployment) or found.get(LEGACY_GROUP_KEY, group) != group:
        return None
    return Marks(DeploymentId(deployment), GroupId(group), InstanceId(instance))


def marks_for(entry: LedgerEntry, deployment_id: DeploymentId) -> Marks:
    """Return the marks a server of this entry must bear."""
    return Marks(deployment_id, entry.group_id, entry.instance_id)


def metadata_for(marks: Marks) -> PMap[str, str]:
    """Return the metadata that bears the marks."""
    return pmap(
        {
            LEGACY_GROUP_KEY: marks.group_id,
            GROUP_KEY: marks.group_id,
            INSTANCE_KEY: marks.instance_id,
            DEPLOYMENT_KEY: marks.deployment_id,
        }
    )


def server_name(configured: object, instance_id: InstanceId) -> str:
    """
    Return the server's name: the configured one and a unique suffix, or the suffix alone.

    The suffix follows from the instance id, so a lookup by exact name finds an unknown outcome.
    """
    suffix = "as" + instance_id.replace("-", "")[:12]
    return f"{configured}-{suffix}" if isinstance(configured, str) and configured else suffix
