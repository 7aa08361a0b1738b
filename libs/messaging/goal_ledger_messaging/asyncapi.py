"""The topics as an AsyncAPI 3 document: what the ledger receives and sends, declared on a FastStream broker.

``python -m goal_ledger_messaging.asyncapi docs`` writes ``docs/asyncapi.json``; a test says that the file is what this
writes. FastStream's document is completed where it cannot know: the parts of a topic's name, the headers (its own would
be a correlation id that our records do not have), and each topic's settings, from ``topics.py``.
"""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel

from goal_ledger_messaging import messages
from goal_ledger_messaging.topics import (
    Emitter,
    TopicSpec,
    changed_topic,
    emitter_topics,
    facts_topic,
    heads_topic,
)

VERSION = "1"
_ANY = Emitter("{workspace}", "{system}")
_READINGS, _RECEIPTS, _REJECTED = emitter_topics(_ANY)

TOPICS: dict[str, tuple[TopicSpec, type[BaseModel]]] = {
    "readings": (_READINGS, messages.ReadingHeaders),
    "receipts": (_RECEIPTS, messages.ReceiptHeaders),
    "rejected": (_REJECTED, messages.RejectedHeaders),
    "facts": (facts_topic(), messages.FactHeaders),
    "heads": (heads_topic(), messages.HeadHeaders),
    "changed": (changed_topic(), messages.GoalChangedHeaders),
}
"""By its name in the document: the topic and its records' headers."""

_PARAMETERS = {
    "workspace": {"description": "The workspace's id: 1-40 of a-z 0-9 -"},
    "system": {"description": "The id of the registered system that emits: 1-40 of a-z 0-9 -"},
}


def declared() -> KafkaBroker:
    """What the ledger subscribes to and publishes, on a broker that is never started."""
    broker = KafkaBroker("kafka:9092", protocol="kafka", apply_types=False)

    @broker.subscriber(pattern=_READINGS.name, title="readings", batch=True)
    async def readings(many: list[messages.Reading]) -> None:
        """Each emitter's inbox: what it alone may write, and the ledger takes."""

    broker.publisher(
        _RECEIPTS.name,
        title="receipts",
        schema=messages.Receipt,
        description="What became of each reading, for its emitter: at least once, each with its key.",
    )
    broker.publisher(
        _REJECTED.name,
        title="rejected",
        schema=bytes,
        description="Messages that could not be read, whole, with the reason.",
    )
    broker.publisher(
        facts_topic().name,
        title="facts",
        schema=messages.Fact,
        description="Every fact of every workspace, in seq order within it, at least once; key: the workspace.",
    )
    broker.publisher(
        heads_topic().name,
        title="heads",
        schema=str,
        description="Signed tree heads: C2SP checkpoints, in the partition of the workspace's facts.",
    )
    broker.publisher(
        changed_topic().name,
        title="changed",
        schema=messages.GoalChanged,
        description="Each goal whose answer changed, in order, at least once; key: workspace/goal, so that of a goal its "
        "present state remains for ever, and every change for a week.",
    )
    return broker


@functools.cache
def document() -> bytes:
    """The AsyncAPI 3 document as JSON, in one order."""
    made = AsyncAPI(
        declared(),
        title="Goal Ledger: topics",
        version=VERSION,
        description="What the ledger receives from emitters, and what it sends to them and to subscribers.",
    )
    whole: dict[str, Any] = json.loads(made.to_specification().to_json())
    for name, (topic, headers) in TOPICS.items():
        _complete(whole, name, topic, headers)
    whole["servers"] = {"kafka": {"host": "kafka:9092", "protocol": "kafka"}}
    return (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _complete(whole: dict[str, Any], name: str, topic: TopicSpec, headers: type[BaseModel]) -> None:
    channel = whole["channels"][name]
    channel["servers"] = [{"$ref": "#/servers/kafka"}]
    channel["parameters"] = {part: said for part, said in _PARAMETERS.items() if f"{{{part}}}" in topic.name}
    channel["bindings"]["kafka"] |= {
        "partitions": topic.partitions,
        "topicConfiguration": {
            "cleanup.policy": [topic.configs["cleanup.policy"]],
            **({"retention.ms": int(kept)} if (kept := topic.configs.get("retention.ms")) else {}),
            **({"max.message.bytes": int(most)} if (most := topic.configs.get("max.message.bytes")) else {}),
        },
    }
    (message,) = channel["messages"].values()
    described = whole["components"]["messages"][message["$ref"].rpartition("/")[2]]
    described.pop("correlationId", None)
    described["headers"] = headers.model_json_schema(by_alias=True)
    described["contentType"] = {"rejected": "application/octet-stream", "heads": "text/plain"}.get(
        name, "application/json"
    )


if __name__ == "__main__":
    (Path(sys.argv[1]) / "asyncapi.json").write_bytes(document())
