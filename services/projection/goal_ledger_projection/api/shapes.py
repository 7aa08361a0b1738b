"""The shapes of answers, as OpenAPI tells them. Decimals are strings, instants RFC 3339 in UTC with microseconds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from goal_ledger_projection.api.answers import Answer, Listed

Number = str | None
Instant = str | None


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Scores(Shape):
    score: Number = Field(description="As amended: the definition in effect. Null: not measured, never 0")
    score_committed: Number = Field(
        description="As committed: the definition folded up to the first activation"
    )
    score_difference: Number = Field(description="As amended minus as committed")


class ObjectiveSummary(Scores):
    id: str
    title: str
    kind: str | None = Field(description="committed or aspirational")
    owner: str
    contributors: list[str]
    cycle: str | None
    state: str = Field(description="draft, active, closed or archived")
    outcome: str | None
    grade: Number = Field(description="What a person gave at the closing")
    expected: Number = Field(description="The share of the cycle that has gone")
    gap: Number = Field(description="Points of 100 behind the expected score")
    status: str = Field(description="What is shown, by the rule of precedence")
    status_stated: str | None = Field(description="Stated since the last due date")
    status_computed: str | None = Field(description="By the gap between expected score and score")
    activated_at: Instant


class ListedObjective(ObjectiveSummary):
    version: int = Field(description="Of the stream; for If-Match")
    owner_left: bool = Field(description="The owner left the organisation: assign the goal to somebody else")
    confidence: Number = Field(description="Of the last check-in on the objective")


class ObjectiveList(Answer):
    total: int = Field(description="How many match")
    items: list[ListedObjective]
    next_cursor: str | None


class BriefKeyResult(Scores):
    id: str
    text: str
    weight: str
    dropped: bool
    status: str


class Counted(Shape):
    ref: str = Field(description="key-result/<id> or objective/<id>")
    weight: str
    score: str


class LeftOut(Shape):
    ref: str
    why: str = Field(
        description="not_measured, waiting, baseline_to_be_found, weight_zero, draft, dropped, postponed, supports, "
        "by_policy, not_committed, loop (its parent would count in itself) or unknown"
    )


class PartShape(Shape):
    part: str
    value: Number = Field(description="In force; a mean is shown with 6 places and counts unrounded")
    done: list[str] | None
    value_at: Instant
    unit: str | None
    raw: Number
    score: Number
    state: str = Field(
        description="measured, not_measured, waiting, baseline_to_be_found or not_defined_yet (as_of is before it)"
    )
    zone: str | None
    within_risk: bool
    waiting_for: str | None
    later_value_not_comparable: bool = Field(description="A later value is under another unit or kind")
    feed: str | None
    aggregation: str | None
    window_start: Instant
    window_end: Instant
    evidence: list[str] = Field(description="Event ids of the facts the value comes from")


class Binding(Shape):
    part: str
    feed: str
    aggregation: str


class CommittedKeyResult(Shape):
    measure: dict[str, Any]
    weight: str
    raw: Number
    score: Number
    state: str
    parts: list[PartShape]


class KeyResultShape(Scores):
    id: str
    objective: str
    text: str
    description: str | None
    carried_from: str | None = Field(description="The key result whose lineage it continues")
    owner: str | None
    weight: str
    dropped: bool
    measure: dict[str, Any] = Field(description="As the facts state it")
    bindings: list[Binding]
    state: str
    waiting_for: str | None
    raw: Number = Field(description="Unclamped")
    beyond: Number = Field(description="What lies above 1")
    reached: bool | None
    mean: Number = Field(description="Of a compound: of its parts measured")
    bottleneck: str | None = Field(description="Of a compound: the part with the lowest score")
    expected: Number
    gap: Number
    status: str
    status_stated: str | None
    status_computed: str | None
    fresh: bool | None
    confidence: Number
    last_check_in_at: Instant
    parts: list[PartShape]
    committed: CommittedKeyResult | None = Field(
        description="The key result as it was committed to; null: added later"
    )
    counted: list[Counted]
    left_out: list[LeftOut]


class LinkShape(Shape):
    link: str
    child: str
    parent: str
    mode: str
    weight: str


class ClosingShape(Shape):
    at: str
    event_id: str
    actor: str
    outcome: str
    grade: Number
    suggested: Number
    reason: str | None
    retrospective: str | None
    reopened: bool


class PolicyShape(Shape):
    time_zone: str
    on_track_points: str
    behind_points: str
    roll_up: str
    cadence_weeks: int
    anchor_weekday: int
    grace_days: int
    feeds_count_as_word: bool
    revisions: list[dict[str, Any]] = Field(description="The policy facts in force, the nearest scope first")


class Restated(Shape):
    score: Number
    score_committed: Number


class ObjectiveDetail(ListedObjective):
    description: str | None
    drafted_at: str
    cycle_start: Instant = Field(description="00:00 of the first local day")
    cycle_end: Instant = Field(description="00:00 after the last local day")
    last_check_in_at: Instant
    key_results: list[KeyResultShape]
    counted: list[Counted]
    left_out: list[LeftOut]
    counted_committed: list[Counted]
    left_out_committed: list[LeftOut]
    feeds_counted_twice: list[str]
    parents: list[LinkShape]
    children: list[LinkShape]
    closings: list[ClosingShape]
    restated: Restated | None = Field(
        description="Of a closed one: its score at the closing instant, as known now"
    )
    policy: PolicyShape
    carried_from: str | None
    carried_into: dict[str, Any] | None


class ObjectiveAnswer(Answer):
    objective: ObjectiveDetail


class KeyResultAnswer(Answer):
    key_result: KeyResultShape
    version: int = Field(description="Of its objective's stream; for If-Match")


class ProgressPoint(Scores):
    at: str
    raw: Number
    state: str
    expected: Number
    values: dict[str, Any] = Field(description="By part: the value, or the list of steps done")


class ProgressAnswer(Answer):
    key_result: str
    objective: str
    points: list[ProgressPoint] = Field(
        description="At both edges of the period and wherever something changed between them, or evenly spaced"
    )
    thinned: bool = Field(description="There were more changes than points; some are left out")
    left_out: int = Field(description="How many changes have no point")


class Change(Shape):
    field: str = Field(
        description="Path within the definition, or of the value", examples=["key_results/kr-1/weight"]
    )
    before: Any
    after: Any


class TimelineEntry(Shape):
    seq: int
    version: int
    event_id: str
    type: str
    effective_at: str
    recorded_at: str
    actor: str
    reason: str | None
    after_activation: bool = Field(description="The definition was a commitment when this was recorded")
    data: dict[str, Any] = Field(description="Of the fact, personal text opened")
    changes: list[Change]


class TimelineAnswer(Answer):
    objective: str
    items: list[TimelineEntry]
    next_cursor: str | None


class AlignmentNode(ObjectiveSummary):
    key_results: list[BriefKeyResult]
    counted: list[Counted]
    left_out: list[LeftOut]
    feeds_counted_twice: list[str]


class AlignmentAnswer(Answer):
    nodes: list[AlignmentNode] = Field(description="By id")
    links: list[LinkShape] = Field(description="Between nodes; a parent may be a key result of one")
    roots: list[str] = Field(description="Nodes that are aligned with nothing")
    unaligned: list[str] = Field(description="Roots with nothing beneath them either")


class FactShape(Shape):
    model_config = ConfigDict(extra="allow")

    event_id: str
    workspace: str
    seq: int
    stream: str
    version: int
    type: str
    effective_at: str
    recorded_at: str
    actor: str
    data: dict[str, Any]


class FactsAnswer(Answer):
    items: list[FactShape] = Field(
        description="As recorded, personal text opened; format=jsonl gives the bytes"
    )
    next_cursor: str | None


class CycleShape(Shape):
    id: str
    name: str
    start: str = Field(description="Local date")
    end: str = Field(description="Local date, inclusive")
    starts_at: str = Field(description="By the workspace's time zone; of a goal see its cycle_start")
    ends_at: str
    parent: str | None
    stage: str
    version: int


class CyclesAnswer(Listed):
    items: list[CycleShape]


class CycleAnswer(Answer):
    cycle: CycleShape


class MomentShape(Shape):
    name: str
    at: str
    has_come: bool
    retracted: bool
    event_id: str


class MomentsAnswer(Listed):
    items: list[MomentShape]


class MomentAnswer(Answer):
    moment: MomentShape


class UnitShape(Shape):
    id: str
    name: str
    parent: str | None
    lead: str | None
    waves: list[str]
    stage: str
    people: list[str]
    version: int


class UnitsAnswer(Listed):
    items: list[UnitShape]


class UnitAnswer(Answer):
    unit: UnitShape


class PersonShape(Shape):
    id: str
    display_name: str | None
    units: list[str]
    left_at: str | None = Field(description="When the person left the organisation; null: is there")
    shredded: bool
    version: int


class PeopleAnswer(Listed):
    items: list[PersonShape]


class PersonAnswer(Answer):
    person: PersonShape


class ReadingShape(Shape):
    source: str
    id: str
    time: str
    value: str
    unit: str | None
    mode: str
    event_id: str


class RestartShape(Shape):
    at: str
    base: str = Field(description="What the counter goes on from")
    event_id: str
    reason: str | None


class FeedShape(Shape):
    name: str
    system: str
    kind: str
    unit: str | None
    interval: str | None
    low: Number
    high: Number
    description: str | None
    restarts: list[RestartShape] = Field(description="When its counter began anew")
    fresh: bool = Field(description="A reading was accepted within the interval")
    in_quarantine: int
    last_reading: ReadingShape | None
    quarantine: list[ReadingShape] = Field(description="The oldest of those that wait")
    version: int


class FeedsAnswer(Listed):
    items: list[FeedShape]


class SequenceGapShape(Shape):
    source: str
    after: str = Field(description="The number before the gap, which arrived")
    before: str = Field(description="The number behind it, which arrived")


class SequenceGapsShape(Shape):
    """Numbers that had not arrived at the position, between those that had. A late arrival closes its gap."""

    gaps: int
    missing: str = Field(description="How many numbers are missing in all gaps")
    items: list[SequenceGapShape] = Field(
        description="The 20 newest by source; looked for in its 100,000 highest numbers"
    )


class OneFeedShape(FeedShape):
    sequence_gaps: SequenceGapsShape


class FeedAnswer(Answer):
    feed: OneFeedShape
