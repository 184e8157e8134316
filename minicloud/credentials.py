"""
The one file that tells clients how to reach the cloud, written when it can be reached.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minicloud.config import DOMAIN_NAME, CloudConfig

SERVICE_USER = "otter"


def credentials(config: CloudConfig, root: str) -> Mapping[str, Any]:
    """Return what a client has to know of a cloud that is reached at ``root``."""
    passwords = {user.name: user.password for user in config.users}
    return {
        "root": root,
        "auth_url": f"{root}/identity/v3",
        "auth_url_v2": f"{root}/identity/v2.0",
        "compute_url": f"{root}/compute/v2.1",
        "control_url": f"{root}/control",
        "health_url": f"{root}/health",
        "region": config.region,
        "user_domain": DOMAIN_NAME,
        "project_domain": DOMAIN_NAME,
        "users": [
            {
                "name": user.name,
                "password": user.password,
                "roles": {project: list(roles) for project, roles in user.roles.items()},
                "service_roles": list(user.service_roles),
            }
            for user in config.users
        ],
        "projects": [
            {"name": project.name, "id": project.project_id} for project in config.projects
        ],
        "service_user": {"name": SERVICE_USER, "password": passwords.get(SERVICE_USER, "")},
        "images": [{"id": image.image_id, "name": image.name} for image in config.images],
        "flavors": [{"id": flavor.flavor_id, "name": flavor.name} for flavor in config.flavors],
    }


def write_credentials(path: Path, document: Mapping[str, Any]) -> None:
    """Write the file in one step, for its owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_name(f".{path.name}.new")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(document, file, indent=2)
        file.write("\n")
    written.replace(path)
