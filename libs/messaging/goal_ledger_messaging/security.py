"""Which Kafka, and how every client of ours speaks to it: TLS, SASL, or neither.

One place for producers, consumers, admin clients, the look at topic ids and FastStream's brokers. Kafka's ACLs are the
wall between emitters (SPEC 8); they mean nothing before the broker knows who speaks.

Passwords and tokens come from files, read anew for each connection's client: a rotated one counts from the next client
on. What cannot be is refused at the start (:class:`KafkaSettings`), with a sentence. What the broker refuses, aiokafka
tells as "Unable to bootstrap" alone; :func:`explained` asks once more, and says what was refused.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError
from faststream.security import (
    BaseSecurity,
    SASLOAuthBearer,
    SASLPlaintext,
    SASLScram256,
    SASLScram512,
)
from goal_ledger_observability.failures import failure_text
from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]

EXPLAIN_TIMEOUT_S = 5.0


class SecurityImpossible(ValueError):
    """The settings contradict each other, or a file they name cannot be used; the message is for people."""


@dataclass(frozen=True, slots=True)
class Security:
    """As the settings of the same names say it (``KAFKA_`` before them)."""

    protocol: Protocol = "PLAINTEXT"
    sasl_mechanism: Mechanism | None = None
    sasl_username: str | None = None
    sasl_password_file: Path | None = None
    sasl_token_file: Path | None = None
    ssl_ca_file: Path | None = None
    ssl_certificate_file: Path | None = None
    ssl_key_file: Path | None = None
    ssl_check_hostname: bool = True

    @property
    def uses_tls(self) -> bool:
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def uses_sasl(self) -> bool:
        return self.protocol.startswith("SASL_")

    def need_possible(self) -> None:
        """Raises SecurityImpossible."""
        for wrong, sentence in self._contradictions():
            if wrong:
                raise SecurityImpossible(sentence)
        if self.uses_sasl:
            self._secret()
        self.ssl_context()

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        by_name = self.sasl_mechanism not in (None, "OAUTHBEARER")
        sasl = (self.sasl_mechanism, self.sasl_username, self.sasl_password_file, self.sasl_token_file)
        tls = (self.ssl_ca_file, self.ssl_certificate_file, self.ssl_key_file)
        named = self.sasl_username is not None and self.sasl_password_file is not None
        return (
            (
                not self.uses_sasl and any(sasl),
                f"KAFKA_SASL_… is set, and KAFKA_SECURITY_PROTOCOL is {self.protocol}: it has to be SASL_SSL or "
                "SASL_PLAINTEXT.",
            ),
            (
                not self.uses_tls and any(tls),
                f"KAFKA_SSL_… is set, and KAFKA_SECURITY_PROTOCOL is {self.protocol}: it has to be SSL or SASL_SSL.",
            ),
            (
                self.uses_sasl and self.sasl_mechanism is None,
                f"KAFKA_SECURITY_PROTOCOL is {self.protocol}, and KAFKA_SASL_MECHANISM is not set.",
            ),
            (
                by_name and not named,
                f"{self.sasl_mechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD_FILE.",
            ),
            (by_name and self.sasl_token_file is not None, "KAFKA_SASL_TOKEN_FILE is for OAUTHBEARER alone."),
            (
                self.sasl_mechanism == "OAUTHBEARER" and self.sasl_token_file is None,
                "OAUTHBEARER needs KAFKA_SASL_TOKEN_FILE.",
            ),
            (
                self.sasl_mechanism == "OAUTHBEARER" and any(sasl[1:3]),
                "OAUTHBEARER takes no user name and no password.",
            ),
            (
                (self.ssl_certificate_file is None) != (self.ssl_key_file is None),
                "KAFKA_SSL_CERTIFICATE_FILE and KAFKA_SSL_KEY_FILE are set together or not at all.",
            ),
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """None without TLS. Raises SecurityImpossible for a file that is no certificate or key."""
        if not self.uses_tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ssl_ca_file)
            context.check_hostname = self.ssl_check_hostname
            if self.ssl_certificate_file is not None and self.ssl_key_file is not None:
                context.load_cert_chain(self.ssl_certificate_file, self.ssl_key_file)
        except (OSError, ssl.SSLError) as bad:
            raise SecurityImpossible(f"A file of KAFKA_SSL_… cannot be used: {bad}") from None
        return context

    def token_provider(self) -> AbstractTokenProvider | None:
        """For OAUTHBEARER; None otherwise."""
        return None if self.sasl_token_file is None else _TokenFile(self.sasl_token_file)

    def _secret(self) -> str:
        """The password or token. Raises SecurityImpossible if its file cannot be read or is empty."""
        path = self.sasl_token_file if self.sasl_mechanism == "OAUTHBEARER" else self.sasl_password_file
        assert path is not None
        return read_secret(path)

    def options(self) -> dict[str, Any]:
        """For a client of aiokafka. Raises SecurityImpossible."""
        options: dict[str, Any] = {"security_protocol": self.protocol, "ssl_context": self.ssl_context()}
        if self.uses_sasl:
            options["sasl_mechanism"] = self.sasl_mechanism
            if (tokens := self.token_provider()) is not None:
                options["sasl_oauth_token_provider"] = tokens
            else:
                options["sasl_plain_username"] = self.sasl_username
                options["sasl_plain_password"] = self._secret()
        return options

    def of_broker(self) -> BaseSecurity | None:
        """For FastStream's brokers. Raises SecurityImpossible."""
        context = self.ssl_context()
        if not self.uses_sasl:
            return BaseSecurity(context, self.uses_tls) if self.uses_tls else None
        if self.sasl_mechanism == "OAUTHBEARER":
            return SASLOAuthBearer(context, self.uses_tls)
        kinds = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
        kind = kinds[str(self.sasl_mechanism)]
        return kind(str(self.sasl_username), self._secret(), context, self.uses_tls)


class _TokenFile(AbstractTokenProvider):  # type: ignore[misc]
    """A token that something beside us keeps fresh in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        return await asyncio.to_thread(read_secret, self._path)


def read_secret(path: Path) -> str:
    """What the file holds, without the line's end. Raises SecurityImpossible."""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as bad:
        raise SecurityImpossible(f"{path} cannot be read: {bad}") from None
    if not secret:
        raise SecurityImpossible(f"{path} is empty.")
    return secret


PLAINTEXT = Security()


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kafka: ``host:port,…`` of some of its brokers, and how to speak to it."""

    servers: str
    security: Security = PLAINTEXT

    def options(self) -> dict[str, Any]:
        """For any client of aiokafka. Raises SecurityImpossible."""
        return {"bootstrap_servers": self.servers, **self.security.options()}


Kafka = Cluster | str
"""Where a client is told which Kafka: a plain ``host:port,…`` is one without TLS and SASL."""


def options_of(kafka: Kafka) -> dict[str, Any]:
    """:meth:`Cluster.options`."""
    return cluster_of(kafka).options()


def cluster_of(kafka: Kafka) -> Cluster:
    return Cluster(kafka) if isinstance(kafka, str) else kafka


class KafkaSettings(BaseSettings):
    """What every process that speaks to Kafka can be told about how."""

    kafka_security_protocol: Protocol = "PLAINTEXT"
    kafka_sasl_mechanism: Mechanism | None = None
    kafka_sasl_username: str | None = None
    kafka_sasl_password_file: Path | None = None
    kafka_sasl_token_file: Path | None = Field(default=None, description="OAUTHBEARER: kept fresh by others")
    kafka_ssl_ca_file: Path | None = Field(default=None, description="PEM; without it the machine's own")
    kafka_ssl_certificate_file: Path | None = Field(default=None, description="PEM: our own, for mutual TLS")
    kafka_ssl_key_file: Path | None = Field(default=None, description="PEM, without a passphrase")
    kafka_ssl_check_hostname: bool = True

    @property
    def kafka_security(self) -> Security:
        return Security(
            self.kafka_security_protocol,
            self.kafka_sasl_mechanism,
            self.kafka_sasl_username,
            self.kafka_sasl_password_file,
            self.kafka_sasl_token_file,
            self.kafka_ssl_ca_file,
            self.kafka_ssl_certificate_file,
            self.kafka_ssl_key_file,
            self.kafka_ssl_check_hostname,
        )

    @model_validator(mode="after")
    def _is_possible(self) -> KafkaSettings:
        self.kafka_security.need_possible()
        return self


class ClusterSettings(KafkaSettings):
    """And which Kafka."""

    kafka_bootstrap_servers: str

    @property
    def kafka(self) -> Cluster:
        """The Kafka, and how to speak to it."""
        return Cluster(self.kafka_bootstrap_servers, self.kafka_security)


async def explained(kafka: Kafka, failure: BaseException) -> str:
    """What to say of a failure of a client: where no broker could be reached, what each of them refused."""
    said = failure_text(failure)
    if not isinstance(failure, KafkaConnectionError):
        return said
    cluster = cluster_of(kafka)
    for server in cluster.servers.split(","):
        host, _, port = server.strip().rpartition(":")
        why = await _why_refused(cluster, host, int(port) if port.isdigit() else 9092)
        if why is not None:
            return f"Kafka at {server.strip()} {why}"
    return said


async def _why_refused(cluster: Cluster, host: str, port: int) -> str | None:
    """None: it does not refuse us, or it is not there at all."""
    security = cluster.security
    try:
        async with asyncio.timeout(EXPLAIN_TIMEOUT_S):
            options = security.options()
            connection = await create_conn(host, port, request_timeout_ms=3_000, **options)
            connection.close()
    except ssl.SSLCertVerificationError as untrusted:
        return f"shows a certificate that is not trusted (KAFKA_SSL_CA_FILE): {untrusted.verify_message}"
    except ssl.SSLError as failed:
        return f"does not speak TLS with us (KAFKA_SECURITY_PROTOCOL, KAFKA_SSL_CERTIFICATE_FILE): {failed}"
    except SecurityImpossible as impossible:
        return f"cannot be spoken to: {impossible}"
    except (ConnectionRefusedError, TimeoutError):
        return None
    except (KafkaError, ValueError, OSError) as refused:
        return _refusal(security, refused)
    return None


def _refusal(security: Security, refused: Exception) -> str:
    said = f"({type(refused).__name__}: {refused})"
    if not security.uses_sasl:
        return f"hangs up: {security.protocol} is not what it wants (KAFKA_SECURITY_PROTOCOL) {said}"
    who = "the token" if security.sasl_username is None else f"user {security.sasl_username!r}"
    return f"refuses {who} by {security.sasl_mechanism}: a wrong name, password or mechanism {said}"
