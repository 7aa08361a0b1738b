"""Secrets of a local installation: private, made once, and good for the tokens they sign."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from goal_ledger_local.credentials import ISSUER, SERVICE_ISSUER, Credentials
from joserfc import jwt
from joserfc.jwk import KeySet


def claims(token: str, keys: Path) -> dict[str, object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        key_set = KeySet.import_key_set(json.loads(keys.read_text()))
        return dict(jwt.decode(token, key_set, algorithms=["EdDSA"]).claims)


def test_secrets_are_made_once_and_only_we_may_read_them(tmp_path: Path) -> None:
    Credentials(tmp_path / "secrets").make()
    first = {
        file: file.read_text()
        for file in (tmp_path / "secrets").iterdir()
        if "service-token-" not in file.name
    }
    Credentials(tmp_path / "secrets").make()
    assert {file: file.read_text() for file in first} == first
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o600}


def test_a_persons_token_names_issuer_subject_workspace_and_expiry(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    credentials.make()
    said = claims(credentials.mint_token("ada", "acme", 60), credentials.token_keys_file)
    assert said["iss"] == ISSUER
    assert said["sub"] == "ada"
    assert said["aud"] == "goal-ledger"
    assert said["workspace"] == "acme"
    assert said["exp"] == said["iat"] + 60


def test_a_services_token_names_its_role_and_no_workspace(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    credentials.make()
    token = credentials.service_token_file("worker").read_text()
    said = claims(token, credentials.service_token_keys_file)
    assert (said["iss"], said["sub"], said["role"]) == (SERVICE_ISSUER, "worker", "service")
    assert "workspace" not in said


def test_public_key_files_hold_no_private_key(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path)
    credentials.make()
    for file in (credentials.token_keys_file, credentials.service_token_keys_file):
        assert all("d" not in key for key in json.loads(file.read_text())["keys"])
