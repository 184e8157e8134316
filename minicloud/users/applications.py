"""
Keep application credentials: whose they are, and their secrets as salted hashes.
"""

from collections.abc import Sequence
from uuid import uuid4

from minicloud.users.interface import (
    Application,
    CreateApplication,
    NameTakenError,
    Project,
    UnknownApplicationError,
)
from minicloud.users.passwords import PasswordHash, hash_password

MAX_PER_USER = 1000


class Applications:
    """Application credentials, in memory."""

    def __init__(self) -> None:
        self._applications: dict[str, Application] = {}
        self._secrets: dict[str, PasswordHash] = {}

    def add(self, wish: CreateApplication, project: Project, roles: tuple[str, ...]) -> Application:
        """
        Add a credential.

        :raises NameTakenError: its owner has one of this name, or too many.
        """
        others = self.of_user(wish.user_id)
        if len(others) >= MAX_PER_USER or wish.name in {other.name for other in others}:
            raise NameTakenError(f"application credential {wish.name} exists")
        made = Application(
            uuid4().hex, wish.name, wish.description, wish.user_id, project, roles, wish.expires
        )
        self._applications[made.application_id] = made
        self._secrets[made.application_id] = hash_password(wish.secret)
        return made

    def of_user(self, user_id: str) -> Sequence[Application]:
        """Return a user's credentials in the order of their creation."""
        return tuple(one for one in self._applications.values() if one.user_id == user_id)

    def find(self, application_id: str, user_id: str, name: str) -> Application | None:
        """Return a credential by its id or, where that is empty, by its owner and name."""
        if application_id:
            return self._applications.get(application_id)
        return next((one for one in self.of_user(user_id) if one.name == name), None)

    def matches(self, application: Application | None, secret: str) -> bool:
        """Return whether this is the credential's secret."""
        if application is None:
            return False
        return self._secrets[application.application_id].matches(secret)

    def remove(self, user_id: str, application_id: str) -> Application:
        """
        Remove a credential and return what it was.

        :raises UnknownApplicationError: this user has none of this id.
        """
        found = self._applications.get(application_id)
        if found is None or found.user_id != user_id:
            raise UnknownApplicationError
        del self._applications[application_id], self._secrets[application_id]
        return found
