"""
Act for tenants with application credentials of Identity v3: one per project, which its owner made
and can revoke, listed in a file.

The file is TOML or, if its name ends in ``.json``, JSON: project ids, each with ``id`` and
``secret``. It is looked at again when a token is fetched, at most every few seconds, so a new
tenant needs no restart. A file that cannot be read any more changes nothing: what was read before
stays.
"""

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import simplejson
from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from otter.cloud.errors import AccessDeniedError, AuthenticationError
from otter.cloud.identity_v3 import IdentityV3
from otter.cloud.tokens import Token
from otter.models.ids import TenantId
from otter.timing import utc_now

LOOK_EVERY = timedelta(seconds=5)
FILE_SIZE_MAX_BYTES = 1024 * 1024
"""Enough for thousands of projects, and read before anybody notices the pause."""


class CredentialsFileError(Exception):
    """The file of application credentials cannot be used; says why, without what is in it."""


@frozen
class Credential:
    """An application credential."""

    credential_id: str
    secret: str = field(repr=False)


@frozen
class _Look:
    """What the file looked like: if nothing of it changed, neither did the file."""

    modified_ns: int
    size_bytes: int
    inode: int


class CredentialsFile:
    """The credentials in a file, by project; ``load`` comes first."""

    log = Logger()

    def __init__(self, path: Path, clock: IReactorTime) -> None:
        self._path = path
        self._clock = clock
        self._credentials: Mapping[TenantId, Credential] = {}
        self._look: _Look | None = None
        self._looked: datetime | None = None

    def load(self) -> None:
        """
        Read the file, if it changed.

        :raises CredentialsFileError: it cannot be used; what was read before stays.
        """
        self._looked = utc_now(self._clock)
        try:
            status = self._path.stat()
            look = _Look(status.st_mtime_ns, status.st_size, status.st_ino)
            if look == self._look:
                return
            with self._path.open("rb") as file:
                content = file.read(FILE_SIZE_MAX_BYTES + 1)
        except OSError as error:
            raise CredentialsFileError(error.strerror or "cannot be read") from None
        self._credentials = parse_credentials(content, json=self._path.suffix == ".json")
        self._look = look

    def find(self, tenant_id: TenantId) -> Credential | None:
        """Return a project's credential; looks whether the file changed, now and then."""
        now = utc_now(self._clock)
        if self._looked is None or not timedelta(0) <= now - self._looked < LOOK_EVERY:
            try:
                self.load()
            except CredentialsFileError as error:
                self.log.warn("credentials.unread: {error}", error=error)
        return self._credentials.get(tenant_id)


def parse_credentials(content: bytes, *, json: bool) -> Mapping[TenantId, Credential]:
    """
    Return the credentials that a file's content lists.

    :raises CredentialsFileError: it is too large, unreadable or not of this shape.
    """
    if len(content) > FILE_SIZE_MAX_BYTES:
        raise CredentialsFileError(f"is larger than {FILE_SIZE_MAX_BYTES} bytes")
    try:
        text = content.decode()
        document = simplejson.loads(text) if json else tomllib.loads(text)
    except (ValueError, RecursionError):
        # The parser's own words quote the file.
        raise CredentialsFileError(f"is not {'JSON' if json else 'TOML'}") from None
    if not isinstance(document, dict):
        raise CredentialsFileError("must be an object of project ids")
    return {TenantId(project): _credential(project, entry) for project, entry in document.items()}


def _credential(project: str, entry: object) -> Credential:
    if isinstance(entry, dict) and set(entry) == {"id", "secret"}:
        credential_id, secret = entry["id"], entry["secret"]
        if isinstance(credential_id, str) and isinstance(secret, str) and credential_id and secret:
            return Credential(credential_id, secret)
    raise CredentialsFileError(f"project {project!r} must have id and secret, both texts")


class ApplicationCredentials:
    """See ``TokenSource``: the application credential of the tenant's project."""

    def __init__(self, identity: IdentityV3, file: CredentialsFile) -> None:
        self._identity = identity
        self._file = file

    async def authenticate(self, tenant_id: TenantId, /) -> Token:
        """See ``TokenSource``."""
        credential = self._file.find(tenant_id)
        if credential is None:
            text = f"identity.application_credentials_file has no entry for project {tenant_id}"
            raise AccessDeniedError(text)
        try:
            token = await self._identity.authenticate_application(
                credential.credential_id, credential.secret
            )
        except (AuthenticationError, AccessDeniedError) as error:
            text = f"identity refuses the application credential of project {tenant_id}"
            raise AccessDeniedError(text, status=error.status) from None
        if token.tenant_id != tenant_id:
            text = f"the application credential of project {tenant_id} belongs to another project"
            raise AccessDeniedError(text)
        return token
