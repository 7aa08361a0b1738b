"""The alignment map: the goals as a tree, each under every goal that it is aligned with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from starlette.responses import Response

from goal_ledger_projection.pages.asking import Json
from goal_ledger_projection.pages.page import WebPage

DEPTH_MAX = 12
OPEN_LEVELS = 2
"""So many levels are unfolded at first."""


@dataclass
class Branch:
    """A goal under one parent. `mode`: how it hangs there; None: a root. `also`: its other parents."""

    node: Json
    mode: str | None = None
    also: list[str] = field(default_factory=list)
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
        root=root,
        cycle=cycle,
        cycles=cycles["items"],
        names=names,
        open_levels=OPEN_LEVELS,
    )


def branches(answer: Json, root: str | None = None) -> list[Branch]:
    """The tree of an alignment answer; a goal with several parents stands under each."""
    nodes = {one["id"]: one for one in answer["nodes"]}
    holder = {kr["id"]: one["id"] for one in answer["nodes"] for kr in one["key_results"]}
    beneath: defaultdict[str, dict[str, str]] = defaultdict(dict)
    above: defaultdict[str, list[str]] = defaultdict(list)
    for link in answer["links"]:
        kind, _, id = link["parent"].partition("/")
        parent = id if kind == "objective" else holder[id]
        beneath[parent][link["child"]] = link["mode"]
        above[link["child"]].append(parent)

    def grown(id: str, mode: str | None, path: tuple[str, ...]) -> Branch:
        deep = len(path) >= DEPTH_MAX
        children = [] if deep else [one for one in beneath[id].items() if one[0] not in path]
        return Branch(
            nodes[id],
            mode,
            [one for one in above[id] if path and one != path[-1]],
            [grown(child, how, (*path, id)) for child, how in sorted(children, key=_contributing_first)],
        )

    roots: list[str] = answer["roots"] if root is None else [root]
    return [grown(id, None, ()) for id in roots]


def _contributing_first(link: tuple[str, str]) -> tuple[bool, str]:
    return link[1] != "contributes", link[0]
