"""The topics: names that outsiders rely on, how many partitions, and every setting with its reason.

The number of partitions of ``ledger.facts`` can never change: a workspace would be torn over two partitions. It is
recorded in the store when first used; whoever finds another refuses (:class:`PartitionsChanged`). More partitions are
a new topic, published again from the store.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from goal_ledger_messaging.security import Kafka, options_of

FACTS = "ledger.facts"
HEADS = "ledger.heads"
CHANGED = "goals.changed"
READINGS_PATTERN = r"progress\.readings\..*"

FACTS_PARTITIONS = 24
MAX_RECORD_BYTES = 1024 * 1024
"""What ``ledger.facts`` takes in one compressed batch: four times the largest fact."""
MAX_INBOX_BYTES = 1024 * 1024
"""Of one compressed batch: what an emitter sends at once."""
MAX_RECEIPTS_BYTES = 1024 * 1024
"""A receipt names source and id as they were sent, at most 64 KiB of them."""
MAX_REJECTED_BYTES = 8 * 1024 * 1024
"""An unreadable message is kept whole, with room for headers: more than the inbox lets in."""

REPLICAS = 3

_METADATA_ATTEMPTS = 100
_METADATA_PAUSE_S = 0.05
_DAY_MS = 24 * 60 * 60 * 1000
_TOPIC_EXISTS = 36
_EMITTER_TOPIC = re.compile(r"progress\.(readings|receipts|rejected)\.([a-z0-9-]{1,40})\.([a-z0-9-]{1,40})")


class PartitionsChanged(Exception):
    """The topic has another number of partitions than the one recorded: nothing may be published to it."""


class TopicNotMade(Exception):
    """Kafka refused to make a topic; the message names it and Kafka's reason."""


@dataclass(frozen=True, slots=True)
class Emitter:
    """A registered system that emits readings: it has an inbox and two topics of answers."""

    workspace: str
    system: str

    @property
    def readings(self) -> str:
        return f"progress.readings.{self.workspace}.{self.system}"

    @property
    def receipts(self) -> str:
        return f"progress.receipts.{self.workspace}.{self.system}"

    @property
    def rejected(self) -> str:
        return f"progress.rejected.{self.workspace}.{self.system}"

    @staticmethod
    def of_topic(topic: str) -> Emitter:
        """Whose topic it is. Raises ValueError for a name that is no emitter's."""
        found = _EMITTER_TOPIC.fullmatch(topic)
        if not found:
            raise ValueError(f"not an emitter's topic: {topic!r}")
        return Emitter(found[2], found[3])


@dataclass(frozen=True, slots=True)
class TopicSpec:
    name: str
    partitions: int
    configs: dict[str, str] = field(default_factory=dict)


_FOR_EVER = {
    "cleanup.policy": "delete",  # never compacted: each record is a fact of its own
    "retention.ms": "-1",  # the log is kept for ever: a read side is rebuilt from it alone
    "retention.bytes": "-1",  # … whatever its size
    "message.timestamp.type": "LogAppendTime",  # the broker's clock: a wrong clock of ours cannot get a record refused
    "unclean.leader.election.enable": "false",  # rather wait than lose what was acknowledged
}


def facts_topic(partitions: int = FACTS_PARTITIONS) -> TopicSpec:
    """Every fact of every workspace; key = workspace."""
    return TopicSpec(FACTS, partitions, {**_FOR_EVER, "max.message.bytes": str(MAX_RECORD_BYTES)})


def heads_topic(partitions: int = FACTS_PARTITIONS) -> TopicSpec:
    """Signed tree heads, evidence for ever; key = workspace, in the partition of the workspace's facts."""
    return TopicSpec(HEADS, partitions, dict(_FOR_EVER))


def changed_topic(name: str = CHANGED) -> TopicSpec:
    """How each goal stands and stood; key = workspace/goal, in the partition that the workspace has in ``ledger.facts``."""
    configs = {
        "cleanup.policy": "compact",  # of each goal its present state remains, however old: who comes new reads that
        "min.compaction.lag.ms": str(7 * _DAY_MS),  # who was away for a week has missed no change
        "message.timestamp.type": "LogAppendTime",  # as of the facts
        "unclean.leader.election.enable": "false",
        "max.message.bytes": str(MAX_RECORD_BYTES),
    }
    return TopicSpec(name, FACTS_PARTITIONS, configs)


def emitter_topics(emitter: Emitter) -> tuple[TopicSpec, ...]:
    """One partition each: an emitter's readings keep their order, and one partition carries far more than one emits."""
    return (
        # longer than any outage of the ledger's database: until then the inbox alone holds what was emitted
        _emitters(emitter.readings, 30, MAX_INBOX_BYTES),
        _emitters(emitter.receipts, 30, MAX_RECEIPTS_BYTES),
        # people look at these: time to do so; and the whole message plus our headers has to fit
        _emitters(emitter.rejected, 90, MAX_REJECTED_BYTES),
    )


def _emitters(name: str, days: int, max_bytes: int) -> TopicSpec:
    """One partition; what no setting of the brokers' own may change is said."""
    configs = {
        "cleanup.policy": "delete",
        "unclean.leader.election.enable": "false",
        "retention.ms": str(days * _DAY_MS),
        "max.message.bytes": str(max_bytes),
    }
    return TopicSpec(name, 1, configs)


async def make_topics(
    admin: AIOKafkaAdminClient, specs: list[TopicSpec], replication_factor: int | None = None
) -> set[str]:
    """Make those that do not exist; the names that were made now. Topics that exist are left as they are.

    Raises TopicNotMade for the first that Kafka refuses; the others are made.
    """
    made, refused = await try_topics(admin, specs, replication_factor)
    for name, reason in refused.items():
        raise TopicNotMade(f"{name}: {reason}")
    return made


async def try_topics(
    admin: AIOKafkaAdminClient, specs: list[TopicSpec], replication_factor: int | None = None
) -> tuple[set[str], dict[str, str]]:
    """The names that were made now, and those that Kafka refuses, with its reason: ``create_topics`` itself never raises,
    the errors are in its answer. Replicas: three, or as many as there are brokers."""
    if not specs:
        return set(), {}
    replicas = replication_factor or min(REPLICAS, len((await admin.describe_cluster())["brokers"]))
    durable = {"min.insync.replicas": str(max(1, replicas - 1))}  # one may be away
    wanted = [
        NewTopic(spec.name, spec.partitions, replicas, topic_configs={**durable, **spec.configs})
        for spec in specs
    ]
    made: set[str] = set()
    refused: dict[str, str] = {}
    for name, code, *more in (await admin.create_topics(wanted)).topic_errors:
        if code == 0:
            made.add(name)
        elif code != _TOPIC_EXISTS:
            refused[name] = f"{for_code(code).__name__} {more[0] if more else ''}".rstrip()
    return made, refused


async def partition_counts(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """How many partitions each has; a topic that does not exist, or has no leaders yet, is left out."""
    described = await admin.describe_topics(names)
    return {
        one["topic"]: len(one["partitions"])
        for one in described
        if one["error_code"] == 0 and all(part["error_code"] == 0 for part in one["partitions"])
    }


async def ensure_topics(
    kafka: Kafka, specs: list[TopicSpec], replication_factor: int | None = None
) -> dict[str, int]:
    """Make what is missing and give the partition counts.

    Raises TopicNotMade, and PartitionsChanged when a topic's count is not the one of its spec.
    """
    admin = AIOKafkaAdminClient(**options_of(kafka))
    await admin.start()
    try:
        await make_topics(admin, specs, replication_factor)
        counts = await _known_counts(admin, [spec.name for spec in specs])
    finally:
        await admin.close()
    for spec in specs:
        refuse_other_count(spec.name, counts[spec.name], spec.partitions)
    return counts


async def _known_counts(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """The counts once the brokers' metadata shows every topic: a topic just made takes some milliseconds."""
    for _ in range(_METADATA_ATTEMPTS):
        counts = await partition_counts(admin, names)
        if len(counts) == len(set(names)):
            return counts
        await asyncio.sleep(_METADATA_PAUSE_S)
    missing = sorted(set(names) - counts.keys())
    raise TopicNotMade(f"{', '.join(missing)}: made, but not in the brokers' metadata")


def refuse_other_count(topic: str, found: int, recorded: int) -> None:
    """Raises PartitionsChanged when they differ."""
    if found != recorded:
        raise PartitionsChanged(
            f"{topic} has {found} partitions, recorded are {recorded}: nothing is published to it"
        )
