"""Signed heads, against the form of C2SP's tlog-checkpoint and signed-note."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from goal_ledger_ledger.checkpoint import (
    BadNote,
    Checkpoint,
    key_hash,
    load_ml_dsa_44_key,
    load_signing_key,
    ml_dsa_44_verifier_key,
    origin_of,
    sign,
    verifier_key,
    verify,
)
from goal_ledger_ledger.cosignature import verifies

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HEAD = Checkpoint(origin_of("goal-ledger.local", "acme", 1), 151, hashlib.sha256(b"root").digest())


def test_a_signed_head_verifies_and_reads_back():
    note = sign(HEAD, KEY)
    assert verify(note, KEY.public_key(), HEAD.origin) == HEAD


def test_the_note_has_the_lines_of_the_specification():
    body, signature = sign(HEAD, KEY).split("\n\n")
    assert body == f"goal-ledger.local/acme/1\n151\n{base64.b64encode(HEAD.root).decode()}"
    dash, name, written = signature.rstrip("\n").split(" ")
    assert (dash, name) == ("—", HEAD.origin)
    assert len(base64.b64decode(written)) == 4 + 64


def test_the_key_hash_is_that_of_the_specifications_example():
    # From the documentation of golang.org/x/mod/sumdb/note, the form that signed-note specifies.
    written = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    raw = base64.b64decode(written.rsplit("+", 1)[1])
    public = Ed25519PublicKey.from_public_bytes(raw[1:])
    assert key_hash("PeterNeumann", public).hex() == "c74f20a3"
    assert verifier_key("PeterNeumann", public) == written


def test_a_foreign_note_of_the_specification_verifies():
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    raw = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    public = Ed25519PublicKey.from_public_bytes(raw[1:])
    signature = base64.b64decode(line)
    assert signature[:4] == key_hash("PeterNeumann", public)
    public.verify(signature[4:], text.encode())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda note: note.replace("151", "152"), "does not verify"),
        (lambda note: note.replace("acme/1\n", "acme/2\n", 1), "no signature"),
        (lambda note: note.split("\n\n")[0] + "\n\n", "no signature"),
        (lambda note: note.replace("151", "0151"), "not a checkpoint"),
        (lambda note: "", "not a checkpoint"),
    ],
)
def test_a_changed_note_is_refused(change, says):
    with pytest.raises(BadNote, match=says):
        verify(change(sign(HEAD, KEY)), KEY.public_key())


def test_a_head_of_another_origin_or_key_is_refused():
    with pytest.raises(BadNote, match="not of"):
        verify(sign(HEAD, KEY), KEY.public_key(), origin_of("goal-ledger.local", "other", 1))
    with pytest.raises(BadNote, match="no signature"):
        verify(sign(HEAD, KEY), Ed25519PrivateKey.generate().public_key())


def test_the_signing_key_is_read_from_pem():
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert load_signing_key(pem).private_bytes_raw() == KEY.private_bytes_raw()


def test_a_head_signed_with_both_keys_has_a_line_of_each_and_either_verifies_alone():
    second = MLDSA44PrivateKey.generate()
    note = sign(HEAD, KEY, second)
    text, _, signatures = note.partition("\n\n")
    body, (first, other) = f"{text}\n", signatures.splitlines()
    assert verify(note, KEY.public_key()) == HEAD and first == sign(HEAD, KEY).splitlines()[-1]
    key = ml_dsa_44_verifier_key(HEAD.origin, second.public_key())
    assert verifies(key, other, body) and not verifies(key, first, body)
    assert not verifies(key, other, body.replace("\n151\n", "\n152\n"))


def test_a_second_key_of_another_kind_is_refused():
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ValueError, match="ML-DSA-44"):
        load_ml_dsa_44_key(pem)
