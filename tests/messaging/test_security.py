"""How Kafka is spoken to: what cannot be is refused at the start, with a sentence that says which settings."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from faststream.security import SASLOAuthBearer, SASLPlaintext, SASLScram256, SASLScram512
from goal_ledger_messaging.security import Cluster, KafkaSettings, Security, SecurityImpossible
from pydantic import ValidationError


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("s3cret\n")
    return path


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"kafka_security_protocol": "SASL_SSL"}, "KAFKA_SASL_MECHANISM is not set"),
        ({"kafka_sasl_mechanism": "PLAIN"}, "KAFKA_SECURITY_PROTOCOL is PLAINTEXT"),
        ({"kafka_sasl_username": "relay"}, "KAFKA_SECURITY_PROTOCOL is PLAINTEXT"),
        ({"kafka_ssl_ca_file": "ca.pem"}, "it has to be SSL or SASL_SSL"),
        (
            {
                "kafka_security_protocol": "SASL_PLAINTEXT",
                "kafka_ssl_ca_file": "ca.pem",
                "kafka_sasl_mechanism": "PLAIN",
            },
            "it has to be SSL or SASL_SSL",
        ),
        (
            {
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": "SCRAM-SHA-512",
                "kafka_sasl_username": "relay",
            },
            "SCRAM-SHA-512 needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE",
        ),
        (
            {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "OAUTHBEARER"},
            "OAUTHBEARER needs KAFKA_SASL_TOKEN_FILE",
        ),
        (
            {
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": "OAUTHBEARER",
                "kafka_sasl_token_file": "t",
                "kafka_sasl_username": "relay",
            },
            "OAUTHBEARER takes no user name",
        ),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_key_file": "key.pem"}, "set together or not at all"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_ca_file": "/no/such/file"}, "cannot be used"),
        (
            {
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": "PLAIN",
                "kafka_sasl_username": "relay",
                "kafka_sasl_password_file": "/no/such/file",
            },
            "/no/such/file cannot be read",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_the_start(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        KafkaSettings(**settings)


def test_a_file_that_is_no_certificate_is_refused(secret: Path) -> None:
    with pytest.raises(SecurityImpossible, match="cannot be used"):
        Security("SSL", ssl_ca_file=secret).ssl_context()


def test_a_password_is_read_anew_for_each_client_and_without_its_lines_end(secret: Path) -> None:
    cluster = Cluster("k:9092", Security("SASL_PLAINTEXT", "PLAIN", "relay", secret))
    assert cluster.options()["sasl_plain_password"] == "s3cret"
    secret.write_text("another")
    assert cluster.options()["sasl_plain_password"] == "another"
    secret.write_text("\n")
    with pytest.raises(SecurityImpossible, match="is empty"):
        cluster.options()


def test_a_token_is_read_anew_whenever_the_broker_asks(secret: Path) -> None:
    provider = Security("SASL_SSL", "OAUTHBEARER", sasl_token_file=secret).token_provider()
    assert provider is not None
    assert asyncio.run(provider.token()) == "s3cret"
    secret.write_text("fresher")
    assert asyncio.run(provider.token()) == "fresher"


def test_faststreams_brokers_are_told_the_same(secret: Path) -> None:
    kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    for mechanism, kind in kinds.items():
        made = Security("SASL_SSL", mechanism, "relay", secret).of_broker()  # type: ignore[arg-type]
        assert type(made) is kind
        assert (made.use_ssl, made.username, made.password) == (True, "relay", "s3cret")
    by_token = Security("SASL_SSL", "OAUTHBEARER", sasl_token_file=secret).of_broker()
    assert type(by_token) is SASLOAuthBearer
    plain, tls = Security().of_broker(), Security("SSL").of_broker()
    assert plain is None
    assert tls is not None
    assert tls.use_ssl
