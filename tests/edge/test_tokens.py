"""A token counts only if signature, algorithm, issuer, audience and times hold, and only where its kind is asked for."""

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from goal_ledger_edge import token_keys, tokens
from goal_ledger_edge.tokens import BadToken, TokenVerifier, Trust
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

ISSUER, SERVICES = "https://issuer.invalid", "https://issuer.invalid/services"
PEOPLE_KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "people"})
RSA_KEY = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
EC_KEY = ECKey.generate_key("P-256", parameters={"kid": "ec"})
SERVICE_KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "services"})


def write_keys(path: Path, *keys: Any) -> Path:
    path.write_text(json.dumps(KeySet(list(keys)).as_dict(private=False)))
    return path


@pytest.fixture
def verifier(tmp_path: Path) -> TokenVerifier:
    return TokenVerifier(
        Trust(ISSUER, write_keys(tmp_path / "people.json", PEOPLE_KEY, RSA_KEY, EC_KEY)),
        "goal-ledger",
        Trust(SERVICES, write_keys(tmp_path / "services.json", SERVICE_KEY)),
        cached_tokens=3,
    )


def token(key: Any = PEOPLE_KEY, alg: str = "EdDSA", **claims: Any) -> str:
    body = {
        "iss": ISSUER,
        "sub": "ada",
        "aud": "goal-ledger",
        "exp": int(time.time()) + 3600,
        "workspace": "acme",
    }
    body |= claims
    header = {"alg": alg, "kid": key.kid}
    return jwt.encode(header, {k: v for k, v in body.items() if v is not None}, key, algorithms=[alg])


def service_token(**claims: Any) -> str:
    return token(
        SERVICE_KEY, **{"iss": SERVICES, "sub": "relay", "role": "service", "workspace": None} | claims
    )


@pytest.mark.parametrize(
    ("key", "alg"), [(PEOPLE_KEY, "EdDSA"), (PEOPLE_KEY, "Ed25519"), (RSA_KEY, "RS256"), (EC_KEY, "ES256")]
)
async def test_a_persons_token_names_issuer_subject_and_workspace(
    verifier: TokenVerifier, key: Any, alg: str
) -> None:
    claims = await verifier.verify(token(key, alg))
    assert (claims.issuer, claims.subject, claims.workspace, claims.service, claims.role) == (
        ISSUER,
        "ada",
        "acme",
        False,
        None,
    )


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 36_000},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": int("9" * 400)},
        {"exp": -1},
        {"exp": [1]},
        {"nbf": "0"},
        {"nbf": int("9" * 400)},
        {"iat": False},
        {"iat": int(time.time()) + 36_000},
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"token_use": "id"},
        {"at_hash": "x"},
        {"nonce": "x"},
        {"events": {}},
        {"nbf": int(time.time()) + 36_000},
        {"iss": "https://other.invalid"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"workspace": None},
        {"workspace": ["acme"]},
        {"workspace": "acme\0"},
        {"sub": "ada\0"},
    ],
)
async def test_a_claim_that_does_not_hold_refuses_the_token(
    verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    with pytest.raises(BadToken):
        await verifier.verify(token(**claims))


async def test_the_leeway_covers_clocks_that_differ_a_little(verifier: TokenVerifier) -> None:
    assert (
        await verifier.verify(
            token(exp=int(time.time()) - 25, nbf=int(time.time()) + 25, iat=int(time.time()) + 25)
        )
    ).subject == "ada"


async def test_instants_of_a_token_may_have_fractions_of_a_second(verifier: TokenVerifier) -> None:
    claims = await verifier.verify(
        token(exp=time.time() + 3600.5, nbf=time.time() - 0.5, iat=time.time() - 0.5)
    )
    assert claims.subject == "ada"


def _part(body: dict[str, Any] | bytes) -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed_with_the_public_key(alg: str) -> str:
    claims = {
        "iss": ISSUER,
        "sub": "ada",
        "aud": "goal-ledger",
        "exp": int(time.time()) + 3600,
        "workspace": "acme",
    }
    signing_input = f"{_part({'alg': alg, 'kid': 'people'})}.{_part(claims)}"
    secret = PEOPLE_KEY.as_pem(private=False)
    signature = b"" if alg == "none" else hmac.digest(secret, signing_input.encode(), "sha256")
    return f"{signing_input}.{_part(signature)}"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a.b.c",
        "x" * 9000,
        "😀.😀.😀",
        _signed_with_the_public_key("none"),
        _signed_with_the_public_key("HS256"),
        token(OKPKey.generate_key("Ed25519", parameters={"kid": "people"})),
        token(OKPKey.generate_key("Ed25519", parameters={"kid": "unknown"})),
        token(SERVICE_KEY),
        token(RSA_KEY, "RS512"),
        token()[:-8] + "AAAAAAAA",
        token(PEOPLE_KEY, iss=SERVICES, role="service", workspace=None),
    ],
)
async def test_what_is_not_signed_by_the_right_key_with_an_accepted_algorithm_is_refused(
    verifier: TokenVerifier, bad: str
) -> None:
    with pytest.raises(BadToken):
        await verifier.verify(bad, service=True)


async def test_a_service_token_counts_only_where_it_is_asked_for(verifier: TokenVerifier) -> None:
    one = service_token()
    with pytest.raises(BadToken):
        await verifier.verify(one)
    assert (await verifier.verify(one, service=True)).service
    with pytest.raises(BadToken):
        await verifier.verify(one)


async def test_a_service_token_names_no_workspace_and_has_the_role_service(verifier: TokenVerifier) -> None:
    for claims in ({"workspace": "acme"}, {"role": "admin"}, {"role": None}):
        with pytest.raises(BadToken):
            await verifier.verify(service_token(**claims), service=True)


async def test_a_verified_token_is_remembered_until_it_expires(
    verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = token(exp=int(time.time()) + 30)
    assert await verifier.verify(one) is await verifier.verify(one)
    later = time.time() + 61
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    with pytest.raises(BadToken):
        await verifier.verify(one)


async def test_no_more_tokens_are_remembered_than_the_limit(verifier: TokenVerifier) -> None:
    for number in range(10):
        await verifier.verify(token(sub=f"person-{number}"))
    assert len(verifier._verified) == 3


async def test_a_withdrawn_key_stops_counting_when_the_file_changes(
    verifier: TokenVerifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = token()
    await verifier.verify(one)
    write_keys(tmp_path / "people.json", RSA_KEY)
    later = time.monotonic() + 6
    monkeypatch.setattr(token_keys, "monotonic", lambda: later)
    with pytest.raises(BadToken):
        await verifier.verify(one)


@pytest.mark.parametrize(
    ("typ", "counts"),
    [
        ("JWT", True),
        ("at+jwt", True),
        ("application/at+jwt", True),
        ("id+jwt", False),
        ("dpop+jwt", False),
    ],
)
async def test_the_header_says_that_it_is_an_access_token_or_nothing(
    verifier: TokenVerifier, typ: Any, counts: bool
) -> None:
    claims = {"iss": ISSUER, "sub": "ada", "aud": ["x", "goal-ledger"], "exp": int(time.time()) + 60}
    one = jwt.encode(
        {"alg": "Ed25519", "kid": "people", "typ": typ},
        claims | {"workspace": "acme"},
        PEOPLE_KEY,
        algorithms=["Ed25519"],
    )
    if counts:
        assert (await verifier.verify(one)).subject == "ada"
    else:
        with pytest.raises(BadToken):
            await verifier.verify(one)


@pytest.mark.parametrize("stated", [{"typ": "Bearer"}, {"token_use": "access"}], ids=["Keycloak", "Cognito"])
async def test_what_says_that_it_is_an_access_token_counts(
    verifier: TokenVerifier, stated: dict[str, Any]
) -> None:
    assert (await verifier.verify(token(**stated))).subject == "ada"


async def test_the_leeway_is_a_setting(tmp_path: Path) -> None:
    trust = Trust(ISSUER, write_keys(tmp_path / "people.json", PEOPLE_KEY))
    late = token(exp=int(time.time()) - 60)
    with pytest.raises(BadToken):
        await TokenVerifier(trust, "goal-ledger").verify(late)
    assert (await TokenVerifier(trust, "goal-ledger", leeway_seconds=120).verify(late)).subject == "ada"


async def test_keys_that_are_not_for_signatures_are_ignored(tmp_path: Path) -> None:
    keys = KeySet([PEOPLE_KEY, RSA_KEY]).as_dict(private=False)["keys"]
    for_encrypting = RSAKey.generate_key(2048, parameters={"kid": "enc"})
    public = for_encrypting.as_dict(private=False)
    unusable = [
        public | {"use": "enc", "alg": "RSA-OAEP"},
        public | {"kid": "enc2", "alg": "RSA-OAEP"},
        public | {"kid": "enc3", "key_ops": ["encrypt"]},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "EC", "crv": "unheard-of", "x": "AA", "y": "AA"},
        {"kty": "new"},
        "no key",
    ]
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [*unusable, *keys]}))
    verifier = TokenVerifier(Trust(ISSUER, tmp_path / "keys.json"), "goal-ledger")
    assert (await verifier.verify(token())).subject == "ada"
    for kid in ("enc", "enc2", "enc3"):
        key = RSAKey.import_key(for_encrypting.as_dict(private=True) | {"kid": kid})
        with pytest.raises(BadToken):
            await verifier.verify(token(key, "RS256"))


async def test_a_token_that_names_no_key_is_tried_with_all_of_its_kind(verifier: TokenVerifier) -> None:
    claims = {
        "iss": ISSUER,
        "sub": "ada",
        "aud": "goal-ledger",
        "exp": int(time.time()) + 60,
        "workspace": "acme",
    }
    one = jwt.encode({"alg": "ES256"}, claims, EC_KEY, algorithms=["ES256"])
    assert (await verifier.verify(one)).subject == "ada"
