"""Apache Kafka that asks who speaks: TLS, SCRAM-SHA-512, the standard authorizer, and a certificate authority of its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from goal_ledger_local.kafka import SERVER_PROPERTIES, Kafka
from goal_ledger_local.processes import ProcessOwner
from goal_ledger_messaging.security import Cluster, Security

ADMIN = "admin"
TOPIC, GROUP = 2, 3
LITERAL, PREFIXED = 3, 4
READ, WRITE, CREATE, DESCRIBE = 3, 4, 5, 8
ALLOW = 3

Acl = tuple[str, int, str, int, int]
"""User, kind of resource, its name, how the name is meant, operation."""

_SECURED = """\
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="{password}";
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="c" user_admin="c";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
allow.everyone.if.no.acl.found=false
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
"""


class SecureKafka(Kafka):
    """A broker that knows the users given, and ``admin``; each one's password is its name and ``-secret``."""

    def __init__(self, directory: Path, owner: ProcessOwner, users: Iterable[str]) -> None:
        super().__init__(directory, owner)
        self._files = directory.resolve()
        self._files.mkdir(parents=True, exist_ok=True)
        for user in (ADMIN, *users):
            self.password_file(user).write_text(f"{user}-secret\n")
        words = [
            ("--add-scram", f"SCRAM-SHA-512=[name={one},password={one}-secret]") for one in (ADMIN, *users)
        ]
        self.format_words = tuple(word for pair in words for word in pair)
        make_certificates(self._files)

    @property
    def authority(self) -> Path:
        return self._files / "authority.pem"

    def password_file(self, user: str) -> Path:
        return self._files / f"{user}.password"

    def as_user(self, user: str, **changes: Any) -> Cluster:
        """The cluster as this user sees it."""
        given = {
            "protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": user,
            "sasl_password_file": self.password_file(user),
            "ssl_ca_file": self.authority,
        }
        return Cluster(self.bootstrap, Security(**{**given, **changes}))

    def environment(self, user: str) -> dict[str, str]:
        """The same as settings of a process."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD_FILE": str(self.password_file(user)),
            "KAFKA_SSL_CA_FILE": str(self.authority),
        }

    def client_options(self) -> dict[str, Any]:
        return self.as_user(ADMIN).options()

    def server_properties(self) -> str:
        plain = SERVER_PROPERTIES.format(port=self.port, controller=self._controller)
        secured = _SECURED.format(
            password=f"{ADMIN}-secret", keystore=self._files / "server.pem", authority=self.authority
        )
        return plain.replace("PLAINTEXT", "SASL_SSL") + secured

    async def allow(self, *acls: Acl) -> None:
        """Grants; returns when the broker has taken them."""
        admin = AIOKafkaAdminClient(**self.client_options())
        await admin.start()
        try:
            for user, kind, name, meant, operation in acls:
                request = CreateAclsRequest(kind, name, meant, f"User:{user}", "*", operation, ALLOW)
                answer = await admin._send_to_controller(request)
                assert all(one[0] == 0 for one in answer.creation_responses), answer
        finally:
            await admin.close()


def make_certificates(directory: Path) -> None:
    """``authority.pem``, and ``server.pem``: the key and certificate of 127.0.0.1, signed by it."""
    if (directory / "server.pem").exists():
        return
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("tests", authority_key, "tests", authority_key, authority=True)
    server = _certificate("127.0.0.1", server_key, "tests", authority_key, authority=False)
    (directory / "authority.pem").write_bytes(authority)
    key = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "server.pem").write_bytes(key + server + authority)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: str,
    by_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> bytes:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    if not authority:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return made.sign(by_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
