"""Who holds a credential in the workspace, by the fold; and how an API key is made."""

from __future__ import annotations

import base64
import hashlib
import os

from goal_ledger_domain.access import holder_of_key, person_of
from goal_ledger_domain.world import World
from goal_ledger_edge.credentials import ApiKey, Credential

KEY_SECRET_BYTES = 32


def actor_of(world: World, credential: Credential) -> str | None:
    """``person/<id>`` or ``system/<id>``; None: no fact names the credential, or not any more."""
    if isinstance(credential, ApiKey):
        return holder_of_key(world, credential.key_id, credential.digest)
    return person_of(world, credential.issuer, credential.subject)


class KeyMaker:
    """Makes an API key of ``workspace``; ``key`` holds it for the one answer that shows it."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self.key: str | None = None

    def digest_of_new(self, key_id: str) -> str:
        """SHA-256 in hex of a new key with this id."""
        secret = base64.urlsafe_b64encode(os.urandom(KEY_SECRET_BYTES)).rstrip(b"=").decode()
        self.key = f"glk.{self._workspace}.{key_id}.{secret}"
        return hashlib.sha256(self.key.encode()).hexdigest()
