"""The fixed schema of every dataset: stored in files that others keep, so what is here never changes its meaning.

A column may be added at the end with a new `version`; one that is renamed, retyped or taken away makes a new version
too. `tests/projection/query/golden_exports` holds every version ever published.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from goal_ledger_history.goalposts import FLAGS


class ColumnKind(Enum):
    """What a column holds; the value is its published name."""

    TEXT = "text"
    JSON = "json text"
    VALUE = "decimal(24,6)"
    SCORE = "decimal(18,12)"
    RAW = "decimal(38,12)"
    INSTANT = "timestamp[us, UTC]"
    DATE = "date"
    WHOLE = "int64"
    YES_NO = "bool"


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """`needed`: never null."""

    name: str
    kind: ColumnKind
    says: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """`name`: in the address."""

    name: str
    version: int
    says: str
    columns: tuple[ExportColumn, ...]

    @property
    def schema(self) -> str:
        return f"{self.name}.v{self.version}"


def _text(name: str, says: str = "") -> ExportColumn:
    return ExportColumn(name, ColumnKind.TEXT, says)


def _id(name: str, says: str = "") -> ExportColumn:
    return ExportColumn(name, ColumnKind.TEXT, says, needed=True)


def _json(name: str, says: str) -> ExportColumn:
    return ExportColumn(name, ColumnKind.JSON, says)


def _score(name: str, says: str = "") -> ExportColumn:
    return ExportColumn(name, ColumnKind.SCORE, says)


def _at(name: str, says: str = "", needed: bool = False) -> ExportColumn:
    return ExportColumn(name, ColumnKind.INSTANT, says, needed)


def _seq(says: str) -> ExportColumn:
    return ExportColumn("seq", ColumnKind.WHOLE, says, needed=True)


_CONFIDENCE = ExportColumn("confidence", ColumnKind.VALUE, "0 to 1")
_WEIGHT = ExportColumn("weight", ColumnKind.VALUE, "In the roll-up", needed=True)
_SCORES = (
    _score("score", "As amended, clamped to 0–1; null: not measured"),
    _score("score_committed", "As committed"),
    _score("score_difference", "As amended minus as committed"),
)
_PROGRESS = (
    _score("expected"),
    _score("gap", "Expected minus score, in points of 100"),
    _text("status", "As shown"),
    _text("status_stated"),
    _text("status_computed"),
)

OBJECTIVES = Dataset(
    "objectives",
    1,
    "Objectives as defined at the moment, with scores and statuses; by id",
    (
        _id("objective"),
        _id("title"),
        _text("description"),
        _text("kind", "committed or aspirational"),
        _id("owner", "unit/<id> or person/<id>"),
        _json("contributors", "A list of owners"),
        _text("cycle"),
        _id("state", "draft, active, closed or archived"),
        _text("outcome", "Of the closing in effect"),
        ExportColumn("grade", ColumnKind.VALUE, "What a person gave at the closing"),
        _at("drafted_at", needed=True),
        _at("activated_at"),
        _at("closed_at", "Of the closing in effect"),
        *_SCORES,
        *_PROGRESS,
        _CONFIDENCE,
        _text("carried_from"),
    ),
)

KEY_RESULTS = Dataset(
    "key-results",
    1,
    "Key results as defined at the moment, with scores and statuses; by id",
    (
        _id("key_result"),
        _id("objective"),
        _id("objective_state"),
        _text("cycle", "Of its objective"),
        _id("text"),
        _id("owner", "Its own, else its objective's"),
        _WEIGHT,
        ExportColumn("dropped", ColumnKind.YES_NO, "", needed=True),
        _id("kind", "Of its measure"),
        _json("measure", "As the facts state it"),
        _json("bindings", "A list of {part, feed, aggregation}"),
        _id("state", "measured, not_measured, waiting or baseline_to_be_found"),
        *_SCORES,
        *_PROGRESS,
        _CONFIDENCE,
        _at("last_check_in_at"),
    ),
)

SCORES = Dataset(
    "scores",
    1,
    "Both scores of every objective and key result at the moment; by objective, itself first",
    (
        _id("subject", "objective/<id> or key-result/<id>"),
        _id("objective"),
        _text("key_result", "Null: the objective itself"),
        *_SCORES,
        ExportColumn("raw", ColumnKind.RAW, "Unclamped; of key results"),
        ExportColumn("beyond", ColumnKind.RAW, "What lies above 1; of key results"),
        _score("expected"),
        ExportColumn("weight", ColumnKind.VALUE, "Of key results"),
        _text("state", "Of key results: measured, not_measured, waiting or baseline_to_be_found"),
        ExportColumn("kept", ColumnKind.YES_NO, "The score of the closing, not recomputed", needed=True),
    ),
)

STATUSES = Dataset(
    "statuses",
    1,
    "The status of every objective and key result at the moment; by objective, itself first",
    (
        _id("subject", "objective/<id> or key-result/<id>"),
        _id("objective"),
        _text("key_result", "Null: the objective itself"),
        _id("status", "As shown"),
        _text("status_stated"),
        _text("status_computed"),
        ExportColumn("fresh", ColumnKind.YES_NO, "Of key results: measured lately enough"),
        _score("expected"),
        _score("gap", "Expected minus score, in points of 100"),
        _CONFIDENCE,
        _at("last_check_in_at"),
    ),
)

VALUES = Dataset(
    "values",
    1,
    "The value in force of every part of every key result; by objective, in the order of its definition",
    (
        _id("objective"),
        _id("key_result"),
        _id("part"),
        ExportColumn("value", ColumnKind.VALUE, "Null: not measured, or a checklist"),
        _json("done", "Of a checklist: the steps done"),
        _text("unit"),
        _at("value_at"),
        ExportColumn("raw", ColumnKind.RAW, "Unclamped"),
        _score("score"),
        _id("state", "measured, not_measured, waiting or baseline_to_be_found"),
        _text("zone"),
        _text("waiting_for", "The moment that opens its window"),
        _text("feed"),
        _text("aggregation"),
        ExportColumn(
            "later_value_not_comparable", ColumnKind.YES_NO, "A later one has another unit", needed=True
        ),
    ),
)

CHECK_INS = Dataset(
    "check-ins",
    1,
    "The content in force of every check-in; by effective_at, then seq",
    (
        _id("check_in"),
        _id("objective"),
        _text("key_result", "Null: on the objective itself"),
        _id("author", "Whose word it is: person/<id> or system/<id>"),
        _id("actor", "Who recorded it"),
        _at("effective_at", "When it was true", needed=True),
        _at("recorded_at", "When it was recorded", needed=True),
        _json("values", "A list of {part, value} or {part, done}"),
        _CONFIDENCE,
        _text("status", "As stated: on_track, behind or at_risk"),
        _id("method"),
        _text("note"),
        _json("blockers", "A list of texts"),
        _json("evidence", "A list of links"),
        _text("reason"),
        ExportColumn(
            "after_closing", ColumnKind.YES_NO, "Recorded after the objective's closing", needed=True
        ),
        _seq("Of the fact that this content comes from"),
        _id("event_id"),
    ),
)

READINGS = Dataset(
    "readings",
    1,
    "The content in force of every reading, quarantined ones too; by feed, time, seq",
    (
        _id("feed"),
        _id("source"),
        _id("id"),
        _at("time", "When it was true", needed=True),
        ExportColumn("value", ColumnKind.VALUE, "", needed=True),
        _text("unit"),
        _id("mode", "absolute or increment"),
        ExportColumn("quarantined", ColumnKind.YES_NO, "It does not count", needed=True),
        _seq("From which it counts as it does"),
        ExportColumn("recorded_seq", ColumnKind.WHOLE, "Of the fact that holds the content", needed=True),
    ),
)

FACTS = Dataset(
    "facts",
    1,
    "Every fact as recorded; by seq",
    (
        _seq("Its number in the workspace"),
        _id("event_id"),
        _id("stream"),
        ExportColumn("version", ColumnKind.WHOLE, "Within the stream", needed=True),
        _id("type"),
        _id("actor"),
        _at("effective_at", "When it was true", needed=True),
        _at("recorded_at", "When it was recorded", needed=True),
        _text("reason"),
        _json("data", "Personal text opened"),
        _json("fact", "The canonical bytes as they were hashed, personal text sealed"),
        _id("hash", "SHA-256 of a zero byte and those bytes, hex: the leaf of the Merkle tree"),
    ),
)

LINKS = Dataset(
    "links",
    1,
    "What supports what at the moment; by child, then link",
    (
        _id("link"),
        _id("child", "An objective"),
        _id("parent", "objective/<id> or key-result/<id>"),
        _id("mode", "contributes or supports"),
        _WEIGHT,
        _seq("Of the fact that aligned them"),
    ),
)

CYCLES = Dataset(
    "cycles",
    1,
    "Cycles at the moment; by id",
    (
        _id("cycle"),
        _id("name"),
        ExportColumn("start_date", ColumnKind.DATE, "Local, inclusive", needed=True),
        ExportColumn("end_date", ColumnKind.DATE, "Local, inclusive", needed=True),
        _at("starts_at", "By the workspace's time zone", needed=True),
        _at("ends_at", "00:00 after the last local day", needed=True),
        _text("parent"),
        _id("stage", "planned, open, locked or closed"),
    ),
)

UNITS = Dataset(
    "units",
    1,
    "Units at the moment; by id",
    (
        _id("unit"),
        _id("name"),
        _text("parent", "The unit above"),
        _text("lead", "A person"),
        _json("waves", "The pilot waves that it is in"),
        _id("stage", "open or closed"),
    ),
)

GOALPOST_MOVES = Dataset(
    "goalpost-moves",
    1,
    "What was changed in goals after their activation; the newest first",
    (
        _id("event_id"),
        _seq("Of the fact"),
        _id("objective", "Whose definition it changed"),
        _text("key_result"),
        _id("type", "Of the fact"),
        _at("at", "When it took effect", needed=True),
        _at("recorded_at", needed=True),
        _id("actor"),
        _text("reason"),
        _id("direction", "eased, tightened or neutral"),
        *(ExportColumn(name, ColumnKind.YES_NO, "", needed=True) for name in FLAGS),
        _score("effect", "On the score as amended; null: not measured before or after"),
        _score("effect_committed"),
        _json("endorsed_by", "A list of persons other than the actor"),
        _json("changes", "A list of {field, before, after}"),
    ),
)

PARTICIPATION = Dataset(
    "participation",
    1,
    "What became of due dates by group and period; all, pilots, rest, waves, units, each by period",
    (
        _id("group", "all, pilots, rest, wave/<name> or unit/<id>"),
        ExportColumn("start_date", ColumnKind.DATE, "Local, inclusive", needed=True),
        ExportColumn("end_date", ColumnKind.DATE, "Local, inclusive", needed=True),
        *(
            ExportColumn(name, ColumnKind.WHOLE, "Due dates", needed=True)
            for name in ("due", "on_time", "late", "missed", "pending")
        ),
        _score("rate", "Met of met and missed; null: neither yet"),
        ExportColumn("owners", ColumnKind.WHOLE, "That owed a word", needed=True),
        ExportColumn("owners_heard", ColumnKind.WHOLE, "That met a due date", needed=True),
    ),
)

POLICIES = Dataset(
    "policies",
    1,
    "The policy in force in each scope; by scope",
    (
        _id("scope", "workspace, unit/<id> or objective/<id>"),
        ExportColumn("revision", ColumnKind.WHOLE, "", needed=True),
        _json("policy", "What is set there; the rest is inherited"),
        _id("event_id"),
        _seq("Of the fact that set it"),
    ),
)

MEMBERSHIPS = Dataset(
    "memberships",
    1,
    "Who sat in which unit, from when to when; by person, unit, from_time",
    (
        _id("person"),
        _id("unit"),
        _at("from_time", "When the person joined", needed=True),
        _at("to_time", "When the person left; null: sits there"),
    ),
)

DATASETS = {
    one.name: one
    for one in (
        *(OBJECTIVES, KEY_RESULTS, SCORES, STATUSES, VALUES),
        *(CHECK_INS, READINGS, FACTS),
        *(LINKS, CYCLES, UNITS, MEMBERSHIPS, POLICIES),
        *(GOALPOST_MOVES, PARTICIPATION),
    )
}
"""By the name in the address."""
