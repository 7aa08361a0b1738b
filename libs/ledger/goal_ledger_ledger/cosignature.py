"""Cosignatures of witnesses: C2SP ``tlog-cosignature``, made with Ed25519 or ML-DSA-44.

A witness signs a checkpoint's body together with the second at which it did, after it has seen that the log only grew
since the last head that it signed. In the note its signature is a line like the log's own, under the witness's name.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from goal_ledger_contracts.verifier_key import COSIGNATURE_ML_DSA_44, VerifierKey


def cosignature_in(answer: str, witness: VerifierKey, body: str) -> str | None:
    """The witness's line over a checkpoint's body among those of its answer, if it verifies."""
    return next((line for line in answer.split("\n") if verifies(witness, line, body)), None)


def verifies(key: VerifierKey, line: str, body: str) -> bool:
    """Whether a note's line is a signature of this key over a checkpoint's body."""
    dash, _, rest = line.partition(" ")
    name, _, written = rest.partition(" ")
    try:
        raw = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return False
    found = key.to_verify(name, raw, body)
    if dash != "—" or found is None:
        return False
    public = MLDSA44PublicKey if key.kind == COSIGNATURE_ML_DSA_44 else Ed25519PublicKey
    try:
        public.from_public_bytes(key.public).verify(found.signature, found.message)
    except InvalidSignature:
        return False
    return True
