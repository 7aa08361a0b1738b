"""What analysts and auditors ask: explain, attribution, participation and diff, over HTTP, each beside its plain answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import ceil
from statistics import median
from urllib.parse import quote

from benchmarks.ground import Ground
from benchmarks.queries import DAYS, TREE, Asker, filled, moments
from benchmarks.results import Figure, of_rounds

EXPLAIN_TIMES, DIFF_TIMES = 2, 3
KEY_RESULTS = 4
ATTRIBUTION_MS, PARTICIPATION_MS = 300, 400
WEEKS = 13


def questions(ground: Ground) -> list[Figure]:
    return [*_tree(ground), *_attribution(ground), _participation(ground)]


def _tree(ground: Ground) -> list[Figure]:
    """Goals whose scores count those of the goals beneath them, so that the topmost rests on all."""
    objectives = ground.pick(5_000, 100)
    workspace = filled(ground, {"objectives": objectives, "counted": True})
    asker = Asker.of(ground, workspace)
    last = objectives - 1
    leaves = [f"/v1/objectives/t-o{last - n}" for n in range(ground.pick(100, 10))]
    branch, top = "/v1/objectives/t-o1", "/v1/objectives/t-o0"
    turns = ground.pick(9, 3)
    asker.ask(TREE)
    return [
        _explain("an objective", asker, leaves),
        _explain("one of ten branches, one level", asker, [branch] * turns, "&depth=1"),
        _explain(f"the top of {objectives:,} objectives, one level", asker, [top] * turns, "&depth=1"),
        _diff(asker, turns),
    ]


def _explain(what: str, asker: Asker, paths: Sequence[str], depth: str = "") -> Figure:
    """At moments in the past, each asked for once, so that no answer is one that was kept."""
    past = iter(moments(2 * len(paths)))

    def took_ms(path: str, depth: str = "") -> float:
        return asker.ask(f"{path}?as_of={quote(next(past))}{depth}")[0]

    rounds = [(took_ms(f"{path}/explain", depth), took_ms(path)) for path in paths]
    return _ratio(f"explain of {what}", rounds, EXPLAIN_TIMES, "the objective, plain")


def _diff(asker: Asker, turns: int) -> Figure:
    """Neither of its trees was asked for before; a token holds for every question, so a single goal's answer gives it."""
    past = iter(moments(3 * turns))

    def token() -> str:
        answer: str = json.loads(asker.ask(f"/v1/objectives/t-o9?as_of={quote(next(past))}")[2])["token"]
        return answer

    rounds = []
    for _ in range(turns):
        first, last = sorted((token(), token()))
        ours = asker.ask(f"/v1/diff?of={quote(TREE)}&from={first}&to={last}")[0]
        rounds.append((ours, asker.ask(f"{TREE}?as_of={quote(next(past))}")[0]))
    return _ratio("diff of the whole tree", rounds, DIFF_TIMES, "the whole tree at one moment")


def _attribution(ground: Ground) -> list[Figure]:
    """Over the last facts of a tree, all check-ins: as they were learnt, and as they took effect."""
    objectives, each = ground.pick(200, 20), ground.pick(5, 2)
    facts, check_ins = ground.pick(1_000, 80), objectives * KEY_RESULTS * each
    goals = {"objectives": objectives, "check_ins_each": each, "counted": True}
    asker = Asker.of(ground, filled(ground, goals))
    top = "/v1/objectives/t-o0"
    epoch, _, seq = json.loads(asker.ask(top)[2])["position"].partition("-")
    back = ceil((DAYS - 2) * facts / check_ins) + 2
    turns = ground.pick(9, 3)
    return [
        _time(
            f"attribution over {facts:,} facts {what}, {objectives} goals",
            asker,
            [f"{top}/attribution?{start}"] * turns,
            ATTRIBUTION_MS,
        )
        for what, start in (
            ("learnt", f"from_known_at={epoch}-{int(seq) - facts}"),
            ("that took effect", f"from_as_of=-P{back}D"),
        )
    ]


def _participation(ground: Ground) -> Figure:
    """People with a goal each, who check in every week."""
    people = ground.pick(5_000, 100)
    goals = {"objectives": people, "people": True, "key_results": 1, "check_ins_each": WEEKS}
    asker = Asker.of(ground, filled(ground, {**goals, "days": 7 * WEEKS + 2}))
    what = f"participation of {people:,} people over {WEEKS} weeks"
    return _time(what, asker, ["/v1/participation"] * ground.pick(9, 3), PARTICIPATION_MS)


def _time(what: str, asker: Asker, paths: Sequence[str], aim_ms: float) -> Figure:
    found = [asker.ask(path) for path in paths]
    ours, size = median([took_ms for took_ms, *_ in found]), len(found[0][2])
    note = f"{size / 1e6:.2f} MB"
    return Figure(what, ours, "ms", aim=f"≤ {aim_ms} ms", reached=ours <= aim_ms, note=note)


def _ratio(what: str, rounds: Sequence[tuple[float, float]], times: float, beside_what: str) -> Figure:
    ours, beside = of_rounds(rounds)
    return Figure(what, ours, "ms", beside, beside_what, f"ratio ≤ {times}", ours <= times * beside)
