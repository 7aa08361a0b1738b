"""Objectives from their children, as SPEC 5 "Roll-up" says."""

from __future__ import annotations

import random
from decimal import Decimal

from goal_ledger_contracts.measures import Aligned, Increase
from goal_ledger_scoring import ChildLink, GoalInput, KeyResultInput, PartInput, ScoreAtClosing, score_tree

TEN = Increase(target=Decimal(10), baseline=Decimal(0))


def kr(
    name: str, value: str | None, weight: str = "1", feed: str | None = None, dropped: bool = False
) -> KeyResultInput:
    part = PartInput(None if value is None else Decimal(value), feed=feed)
    return KeyResultInput(name, TEN, Decimal(weight), {"value": part}, dropped)


def goal(name: str, *key_results: KeyResultInput, **more: object) -> GoalInput:
    return GoalInput(name, key_results, **more)  # type: ignore[arg-type]


def tree(*goals: GoalInput) -> dict[str, GoalInput]:
    return {one.id: one for one in goals}


def left_out(score: object) -> dict[str, str]:
    return {one.ref: one.why for one in score.left_out}  # type: ignore[attr-defined]


def test_the_default_is_the_weighted_mean_of_the_key_results() -> None:
    got = score_tree(tree(goal("o", kr("a", "5"), kr("b", "10", "3"), children=(ChildLink("x"),))))["o"]
    assert got.score == Decimal("0.875")
    assert left_out(got) == {"objective/x": "by_policy"}


def test_weight_nought_is_shown_and_not_counted_and_what_is_unmeasured_is_left_out() -> None:
    got = score_tree(
        tree(goal("o", kr("a", "5"), kr("b", "10", "0"), kr("c", None), kr("d", "1", dropped=True)))
    )["o"]
    assert got.score == Decimal("0.5")
    assert set(got.key_results) == {"a", "b", "c", "d"}
    assert left_out(got) == {
        "key-result/b": "weight_zero",
        "key-result/c": "not_measured",
        "key-result/d": "dropped",
    }


def test_nothing_measured_is_not_measured() -> None:
    assert score_tree(tree(goal("o", kr("a", None))))["o"].score is None
    assert score_tree(tree(goal("o")))["o"].score is None


def test_aligned_objectives_count_by_policy_alone_or_in_one_pool() -> None:
    children = (ChildLink("x", weight=Decimal(3)), ChildLink("y", contributes=False))
    below = (goal("x", kr("xa", "8")), goal("y", kr("ya", "1")))
    aligned = score_tree(tree(goal("o", kr("a", "4"), children=children, roll_up="aligned"), *below))["o"]
    both = score_tree(tree(goal("o", kr("a", "4"), children=children, roll_up="both"), *below))["o"]
    assert (aligned.score, both.score) == (Decimal("0.8"), Decimal("0.7"))
    assert left_out(both) == {"objective/y": "supports"}


def test_drafts_and_goals_dropped_or_postponed_are_left_out_and_other_closed_ones_keep_their_score() -> None:
    children = tuple(ChildLink(name) for name in ("draft", "dropped", "postponed", "closed", "gone"))
    got = score_tree(
        tree(
            goal("o", children=children, roll_up="aligned"),
            goal("draft", kr("1", "1"), state="draft"),
            goal(
                "dropped",
                kr("2", "1"),
                state="closed",
                outcome="dropped",
                kept=ScoreAtClosing(Decimal("0.1")),
            ),
            goal("postponed", kr("3", "1"), state="archived", outcome="postponed"),
            goal(
                "closed",
                kr("4", "10"),
                state="closed",
                outcome="partial",
                kept=ScoreAtClosing(Decimal("0.6")),
            ),
        )
    )
    assert got["o"].score == Decimal("0.6")
    assert got["closed"].kept and got["closed"].score == Decimal("0.6")
    assert left_out(got["o"]) == {
        "objective/draft": "draft",
        "objective/dropped": "dropped",
        "objective/postponed": "postponed",
        "objective/gone": "unknown",
    }


def test_a_key_result_can_be_measured_by_the_objectives_aligned_with_it() -> None:
    by_others = KeyResultInput("a", Aligned())
    children = (ChildLink("x", key_result="a", weight=Decimal(2)), ChildLink("y", key_result="a"))
    got = score_tree(
        tree(goal("o", by_others, children=children), goal("x", kr("1", "3")), goal("y", kr("2", None)))
    )["o"]
    assert got.score == got.key_results["a"].score == Decimal("0.3")
    assert left_out(got.key_results["a"]) == {"objective/y": "not_measured"}


def test_a_child_of_two_parents_counts_once_in_each_and_its_feed_is_flagged_above_both() -> None:
    got = score_tree(
        tree(
            goal("top", children=(ChildLink("left"), ChildLink("right")), roll_up="aligned"),
            goal("left", children=(ChildLink("low"),), roll_up="aligned"),
            goal("right", children=(ChildLink("low"),), roll_up="aligned"),
            goal("low", kr("1", "3", feed="webshop.visitors")),
        )
    )
    assert {name: one.score for name, one in got.items()} == dict.fromkeys(got, Decimal("0.3"))
    assert got["top"].feeds_twice == ("webshop.visitors",)
    assert got["left"].feeds_twice == ()


def test_before_its_activation_a_goal_has_no_committed_score_and_its_parent_says_so() -> None:
    got = score_tree(
        tree(
            goal("o", children=(ChildLink("x"),), roll_up="aligned"),
            goal("x", kr("1", "3"), committed=False),
        )
    )
    assert got["x"].score is None and got["o"].score is None
    assert left_out(got["o"]) == {"objective/x": "not_committed"}


def test_neither_the_order_of_goals_nor_of_children_matters() -> None:
    chance = random.Random(7)
    names = [f"o{i}" for i in range(60)]
    goals = []
    for i, name in enumerate(names):
        below = chance.sample(names[i + 1 :], k=min(3, len(names) - i - 1))
        krs = [kr(f"{name}-{k}", str(chance.randint(0, 12)), str(chance.randint(0, 3))) for k in range(4)]
        goals.append((name, krs, [ChildLink(one, weight=Decimal(chance.randint(1, 5))) for one in below]))

    def scores() -> dict[str, Decimal | None]:
        shuffled = chance.sample(goals, k=len(goals))
        given = tree(
            *(
                goal(
                    name,
                    *chance.sample(krs, k=4),
                    children=tuple(chance.sample(links, k=len(links))),
                    roll_up="both",
                )
                for name, krs, links in shuffled
            )
        )
        return {name: one.score for name, one in score_tree(given).items()}

    first = scores()
    assert len(first) == 60 and all(scores() == first for _ in range(5))


def test_one_unmeasured_key_result_may_be_scored_once_for_two_sets_of_definitions() -> None:
    shared = kr("a", "5")
    memo: dict[int, object] = {}
    amended = score_tree(tree(goal("o", shared, kr("b", "10"))), memo)  # type: ignore[arg-type]
    committed = score_tree(tree(goal("o", shared)), memo)  # type: ignore[arg-type]
    assert (committed["o"].score, amended["o"].score) == (Decimal("0.5"), Decimal("0.75"))
    assert committed["o"].key_results["a"] is amended["o"].key_results["a"]


def linked(name: str, *children: ChildLink, since: int = 0, roll_up: str = "both") -> GoalInput:
    return goal(name, kr(f"k-{name}", "5"), children=children, roll_up=roll_up, activated_seq=since)


def test_of_links_that_close_a_loop_the_one_of_the_goal_activated_last_is_left_out() -> None:
    first = linked("a", ChildLink("b", seq=7), since=10)
    second = linked("b", ChildLink("c", seq=3), since=20)
    last = linked("c", ChildLink("a", seq=1), ChildLink("d", seq=2), since=30)
    above, below = linked("z", ChildLink("a"), since=1), linked("d", since=2)
    goals = [first, second, last, above, below]
    got = score_tree(tree(*goals))
    assert left_out(got["c"]) == {"objective/a": "loop"}
    assert not any(got[name].left_out for name in ("a", "b", "d", "z"))
    assert score_tree(tree(*goals[::-1])) == got
    assert score_tree(tree(first, second, linked("c", since=30), below))["a"] == got["a"]


def test_links_that_do_not_count_close_no_loop() -> None:
    by_policy = linked("a", ChildLink("b"), roll_up="key_results")
    supports = linked("b", ChildLink("a", contributes=False))
    assert left_out(score_tree(tree(by_policy, supports))["b"]) == {"objective/a": "supports"}


def test_what_did_not_change_is_not_computed_again_and_what_did_is() -> None:
    memory: dict[str, object] = {}
    below, beside = goal("low", kr("1", "3", feed="f")), goal("beside", kr("2", "5"))
    top = goal("top", children=(ChildLink("low"), ChildLink("beside")), roll_up="aligned")
    first = score_tree(tree(top, below, beside), memory=memory)  # type: ignore[arg-type]
    again = score_tree(tree(top, below, beside), memory=memory)  # type: ignore[arg-type]
    assert all(again[name] is first[name] for name in first)
    changed = score_tree(tree(top, goal("low", kr("1", "7", feed="f")), beside), memory=memory)  # type: ignore[arg-type]
    assert (changed["top"].score, first["top"].score) == (Decimal("0.6"), Decimal("0.4"))
    assert changed["beside"] is first["beside"]


def test_a_feed_under_key_results_that_do_not_count_is_not_counted_twice() -> None:
    shown_only = goal("top", kr("own", "3", feed="f"), children=(ChildLink("low"),), roll_up="aligned")
    got = score_tree(tree(shown_only, goal("low", kr("1", "3", feed="f"))))
    assert got["top"].feeds_twice == ()
    by_aligned = KeyResultInput("by", Aligned(), dropped=True)
    dropped = goal("top", kr("own", "3", feed="f"), by_aligned, children=(ChildLink("low", key_result="by"),))
    got = score_tree(tree(dropped, goal("low", kr("1", "3", feed="f"))))
    assert got["top"].feeds_twice == ()
