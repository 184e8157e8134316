"""
Keep passwords as salted hashes and compare them without telling by time.

The cost is low on purpose: the accounts of this cloud guard nothing, and a hash that takes long
would block the reactor's thread at every token.
"""

import hashlib
import hmac
import os

from attrs import field, frozen

_COST, _BLOCK, _PARALLEL = 256, 8, 1


@frozen
class PasswordHash:
    """A salted hash."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def matches(self, password: str) -> bool:
        """Return whether ``password`` is the one that was hashed."""
        return hmac.compare_digest(self.digest, _digest(password, self.salt))


def hash_password(password: str) -> PasswordHash:
    """Return a new hash of ``password``."""
    salt = os.urandom(16)
    return PasswordHash(salt, _digest(password, salt))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_PARALLEL)
