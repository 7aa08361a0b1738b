"""Topic ids: what tells a topic from one of the same name that was made after it was deleted.

Offsets mean nothing across that line, and no error shows it: an idempotent producer goes on, a consumer may read on
from its old offset. The broker gives each topic an id (KIP-516) in its metadata from version 10 on; aiokafka 0.14
speaks up to version 5, so the request of version 12 stands here, in the words of aiokafka's own protocol classes.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from io import BytesIO

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from goal_ledger_messaging.security import Kafka, options_of

_ABSENT = bytes(16)


class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


_NAME = CompactString("utf-8")


class _MetadataResponseV12(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), ("tags", TaggedFields)
            ),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _NAME),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataRequestV12(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponseV12
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _NAME), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV12]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[_MetadataRequestV12]) -> _MetadataRequestV12:
        return request_struct_class([(_ABSENT, name, {}) for name in self._names], False, False, {})


@dataclass(frozen=True, slots=True)
class Described:
    """A topic as the brokers know it: ``id`` is a UUID in text."""

    id: str
    partitions: int


class TopicIds:
    """Asks one connection of its own. Start it before use; close it after."""

    def __init__(self, kafka: Kafka) -> None:
        self._client = AIOKafkaClient(request_timeout_ms=10_000, **options_of(kafka))

    async def start(self) -> None:
        """Raises KafkaConnectionError when no broker answers."""
        await self._client.bootstrap()

    async def close(self) -> None:
        await self._client.close()

    async def of(self, names: list[str]) -> dict[str, str]:
        """The id of each topic that exists. Raises KafkaError when Kafka is out of reach."""
        return {name: one.id for name, one in (await self.describe(names)).items()}

    async def describe(self, names: list[str]) -> dict[str, Described]:
        """The topics that exist. Raises KafkaError when Kafka is out of reach."""
        if not names:
            return {}
        node = self._client.get_random_node()
        answer = await self._client.send(node, _MetadataRequest(names))
        return {
            name: Described(str(uuid.UUID(bytes=topic_id)), len(partitions))
            for code, name, topic_id, _, partitions, *_ in answer.topics
            if code == 0
        }
