"""`GET /v1/alignment`: what supports what, with rolled-up scores: the whole workspace, or what is above or below one goal."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from goal_ledger_edge.problems import Problem
from goal_ledger_history.as_of import AsOf
from goal_ledger_history.background import Link
from goal_ledger_history.goals import Goal
from goal_ledger_history.statuses import Standing
from goal_ledger_scoring import results
from pydantic import Field

from goal_ledger_projection.api import shown
from goal_ledger_projection.api.answers import AnswerAtClocks, heading, number, quote, quoted, respond, text
from goal_ledger_projection.api.answers import etag as etag_of
from goal_ledger_projection.api.choices import need_cycle
from goal_ledger_projection.api.routes import Found, QuestionRoute, question_of
from goal_ledger_projection.api.shown import BriefKeyResult, Counted, LeftOut, LinkShape, ObjectiveSummary
from goal_ledger_projection.api.view import GoalsRequest, View, view_of
from goal_ledger_projection.history.context import Context
from goal_ledger_projection.history.tree import Tree


class AlignmentNode(ObjectiveSummary):
    key_results: list[BriefKeyResult]
    counted: list[Counted]
    left_out: list[LeftOut]
    feeds_counted_twice: list[str]


class AlignmentAnswer(AnswerAtClocks):
    nodes: list[AlignmentNode] = Field(description="By id")
    links: list[LinkShape] = Field(description="Between nodes; a parent may be a key result of one")
    roots: list[str] = Field(description="Nodes that are aligned with nothing")
    unaligned: list[str] = Field(description="Roots with nothing beneath them either")


routes = APIRouter(tags=["alignment"], route_class=QuestionRoute)


@routes.get("/v1/alignment", summary="What supports what")
async def alignment(
    request: GoalsRequest,
    root: Annotated[str | None, Query(max_length=64, description="An objective; without it, all")] = None,
    show: Annotated[
        Literal["descendants", "ancestors", "both"], Query(description="From the root")
    ] = "descendants",
    depth: Annotated[int | None, Query(ge=0, le=64, description="Levels from the root")] = None,
    cycle: Annotated[str | None, Query(max_length=64, description="Only goals of this cycle")] = None,
) -> Found[AlignmentAnswer]:
    """The whole workspace, or what is beneath or above one objective, with rolled-up scores."""
    async with view_of(request) as view:
        await need_cycle(view, cycle)

        async def make() -> tuple[bytes, str]:
            tree = await view.trees.whole(view.snapshot, view.moment)
            context = await view.context()
            raw = await asyncio.to_thread(_body, view, tree, context, root, show, depth, cycle)
            return raw, etag_of(raw)

        question = f"{question_of(request)} {view.clocks.token}"
        raw, etag = await view.trees.body(view.snapshot, view.moment, question, make)
        return respond(request, view.clocks, raw, known_etag=etag)


def _body(
    view: View,
    tree: Tree,
    context: Context,
    root: str | None,
    show: str,
    depth: int | None,
    cycle: str | None,
) -> bytes:
    standings = tree.standings
    graph = Graph(standings, context, view.moment)
    chosen = set(standings) if root is None else graph.around(root, show, depth)
    if cycle is not None:
        chosen = {id for id in chosen if standings[id].goal.cycle == cycle}
    links = [
        link for link in graph.links if link.child in chosen and graph.objective_of(link.parent) in chosen
    ]
    children = {link.child for link in links}
    parents = {graph.objective_of(link.parent) for link in links}
    roots = sorted(chosen - children)
    rest = {
        "links": [shown.link(link) for link in links],
        "roots": roots,
        "unaligned": [id for id in roots if id not in parents],
    }
    nodes = ",".join([_node(tree, standings[id]) for id in sorted(chosen)])
    return f'{text(heading(view.clocks))[:-1]},"nodes":[{nodes}],{text(rest)[1:]}'.encode()


@dataclass(slots=True)
class _Written:
    """A node as it was written once; good as long as definition, scores and shown statuses are the same objects."""

    goal: Goal
    amended: results.GoalScore
    as_committed: results.GoalScore
    shown: dict[str, str]
    text: str

    def holds_for(self, standing: Standing) -> bool:
        return (
            self.goal is standing.goal
            and self.amended is standing.amended
            and self.as_committed is standing.as_committed
            and self.shown is standing.shown
        )


def _node(tree: Tree, standing: Standing) -> str:
    """A node's JSON: what lasts is written once, what passes with time is put in."""
    written = tree.written.get(standing.goal.id)
    if not isinstance(written, _Written) or not written.holds_for(standing):
        written = tree.written[standing.goal.id] = _write(standing)
    status = standing.status
    return (
        f'{written.text},"expected":{quoted(number(standing.expected))},"gap":{quoted(number(status.gap))}'
        f',"status":{quoted(status.shown)},"status_stated":{quoted(status.stated)}'
        f',"status_computed":{quoted(status.computed)}}}'
    )


def _write(standing: Standing) -> _Written:
    left_out, twice = standing.amended.left_out, standing.amended.feeds_twice
    written = (
        f'{text(shown.lasting(standing))[:-1]},"key_results":[{_key_results(standing)}]'
        f',"counted":[{_counted(standing.amended.counted)}]'
        f',"left_out":{text(shown.left_out(left_out)) if left_out else "[]"}'
        f',"feeds_counted_twice":{text(twice) if twice else "[]"}'
    )
    return _Written(standing.goal, standing.amended, standing.as_committed, standing.shown, written)


def _key_results(standing: Standing) -> str:
    """Written as text at once: most of a tree is this."""
    amended, committed = standing.amended.key_results, standing.as_committed.key_results
    written = []
    for one in standing.defined.key_results:
        now, then = amended.get(one.id), committed.get(one.id)
        marks = shown.scores(now, then)
        written.append(
            f'{{"id":"{one.id}","text":{quote(one.text)},"weight":{quoted(number(one.weight))}'
            f',"dropped":{"true" if one.dropped else "false"},"score":{quoted(marks["score"])}'
            f',"score_committed":{quoted(marks["score_committed"])}'
            f',"score_difference":{quoted(marks["score_difference"])}'
            f',"status":{quoted(standing.shown[one.id])}}}'
        )
    return ",".join(written)


def _counted(children: Iterable[results.Counted]) -> str:
    """As `shown.counted`."""
    return ",".join(
        [
            f'{{"ref":"{one.ref}","weight":{quoted(number(one.weight))},"score":{quoted(number(one.score))}}}'
            for one in children
        ]
    )


class Graph:
    """The links at the moment; a key result counts as its objective."""

    def __init__(self, tree: dict[str, Standing], context: Context, moment: AsOf) -> None:
        self._tree = tree
        self._holder = {one.id: id for id, standing in tree.items() for one in standing.goal.key_results}
        self.links: list[Link] = [
            link for id in sorted(tree) for link in context.links_of(id, moment.known_to, moment.true_at)
        ]

    def objective_of(self, parent: str) -> str | None:
        kind, _, id = parent.partition("/")
        return id if kind == "objective" else self._holder.get(id)

    def around(self, root: str, show: str, depth: int | None) -> set[str]:
        """The root with what is below it, above it, or both. Problem 404."""
        if root not in self._tree:
            raise Problem(404, "not_found", "There is no such objective here at these clocks.", field="root")
        down: defaultdict[str, set[str]] = defaultdict(set)
        up: defaultdict[str, set[str]] = defaultdict(set)
        for link in self.links:
            parent = self.objective_of(link.parent)
            if parent is not None:
                down[parent].add(link.child)
                up[link.child].add(parent)
        found = {root}
        if show != "ancestors":
            found |= _reach(root, down, depth)
        if show != "descendants":
            found |= _reach(root, up, depth)
        return found & self._tree.keys()


def _reach(root: str, steps: dict[str, set[str]], depth: int | None) -> set[str]:
    found: set[str] = {root}
    edge: Iterable[str] = {root}
    level = 0
    while edge and (depth is None or level < depth):
        edge = {after for one in edge for after in steps.get(one, ())} - found
        found |= set(edge)
        level += 1
    return found
