"""The alignment map: the goals as a tree, each under every goal that it is aligned with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from starlette.responses import Response

from goal_ledger_projection.pages.asking import Json
from goal_ledger_projection.pages.page import WebPage

DRAWN_MAX = 600
"""Of a larger map the first levels are drawn, and each branch has a page of its own."""
LEVELS_OF_A_LARGE_MAP = 2
LEVELS_MAX = 12
OPEN_LEVELS = 2
"""So many levels are unfolded at first."""


@dataclass
class Branch:
    """A goal under one parent. `mode`: how it hangs there; None: a root. `also`: its other parents. `beneath`: how many
    goals hang on it; they are `children`, unless they are drawn elsewhere or too deep."""

    node: Json
    mode: str | None = None
    also: list[str] = field(default_factory=list)
    beneath: int = 0
    children: list[Branch] = field(default_factory=list)


async def map_of_goals(page: WebPage) -> Response:
    """`/map`, or the branch of one goal with `root=`."""
    query = page.request.query_params
    root, cycle = query.get("root"), query.get("cycle")
    answer = await page.ask("/v1/alignment", root=root, cycle=cycle)
    names, cycles = await asyncio.gather(page.names(), page.ask("/v1/cycles"))
    return page.show(
        "map.html",
        branches=branches(answer, root),
        titles={one["id"]: one["title"] for one in answer["nodes"]},
        total=len(answer["nodes"]),
        roots=len(answer["roots"]) if root is None else 1,
        root=root,
        cycle=cycle,
        cycles=cycles["items"],
        names=names,
        open_levels=OPEN_LEVELS,
    )


def branches(answer: Json, root: str | None = None, drawn_max: int = DRAWN_MAX) -> list[Branch]:
    """The tree of an alignment answer. A goal with several parents stands under each, what hangs on it under the first."""
    nodes = {one["id"]: one for one in answer["nodes"]}
    beneath, above = _links(answer)
    levels = LEVELS_OF_A_LARGE_MAP if len(nodes) > drawn_max else LEVELS_MAX
    unfolded: set[str] = set()

    def grown(id: str, mode: str | None, path: tuple[str, ...]) -> Branch:
        links = sorted(beneath[id].items(), key=_contributing_first)
        branch = Branch(nodes[id], mode, [one for one in above[id] if path and one != path[-1]], len(links))
        if id not in unfolded and len(path) + 1 < levels:
            unfolded.add(id)
            branch.children = [grown(child, how, (*path, id)) for child, how in links]
        return branch

    roots: list[str] = answer["roots"] if root is None else [root]
    return [grown(id, None, ()) for id in roots[:drawn_max]]


def _links(answer: Json) -> tuple[defaultdict[str, dict[str, str]], defaultdict[str, list[str]]]:
    """By goal: those that hang on it and how, and those that it hangs on; a key result counts as its objective."""
    holder = {kr["id"]: one["id"] for one in answer["nodes"] for kr in one["key_results"]}
    beneath: defaultdict[str, dict[str, str]] = defaultdict(dict)
    above: defaultdict[str, list[str]] = defaultdict(list)
    for link in answer["links"]:
        kind, _, id = link["parent"].partition("/")
        parent = id if kind == "objective" else holder[id]
        beneath[parent][link["child"]] = link["mode"]
        above[link["child"]].append(parent)
    return beneath, above


def _contributing_first(link: tuple[str, str]) -> tuple[bool, str]:
    return link[1] != "contributes", link[0]
