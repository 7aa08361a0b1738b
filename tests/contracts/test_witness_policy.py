"""The witness policy: whose cosignatures there may be, and which of them make a head good."""

from __future__ import annotations

import pytest
from goal_ledger_contracts.verifier_key import COSIGNATURE_ED25519, VerifierKey, parse_verifier_key
from goal_ledger_contracts.witness_policy import BadPolicy, parse_policy

KEYS = [str(VerifierKey(f"{name}.example", COSIGNATURE_ED25519, name.encode() * 32)) for name in "abc"]
THREE = "".join(
    f"witness {name} {key} https://{name}.example/w/\n" for name, key in zip("abc", KEYS, strict=True)
)


@pytest.mark.parametrize(
    ("rest", "good", "poor"),
    [
        ("quorum none", "", None),
        ("quorum b", "b", "ac"),
        ("group g any a b c\nquorum g", "c", ""),
        ("group g all a b c\nquorum g", "abc", "ab"),
        ("group g 2 a b c # two of three\nquorum g", "ac", "b"),
        ("group h any a b\ngroup g all h c\nquorum g", "bc", "ab"),
    ],
)
def test_a_quorum_counts_witnesses_and_groups(rest: str, good: str, poor: str | None):
    policy = parse_policy("log whatever+1234\n" + THREE + rest)
    assert policy.logs == ("whatever+1234",)
    assert policy.is_satisfied(set(good))
    assert poor is None or not policy.is_satisfied(set(poor))
    assert [one.url for one in policy.asked] == [f"https://{name}.example/w" for name in "abc"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (THREE, "no quorum"),
        (THREE + "quorum d", "line 4: nothing above is named d"),
        (THREE + THREE, "line 4: the name a is taken"),
        (THREE + f"witness d {KEYS[0]}\nquorum d", "stands here twice"),
        ("quorum none\nquorum none", "a second quorum"),
        (f"witness a {KEYS[0]} ftp://a.example\nquorum a", "not an address"),
        ("witness a\nquorum a", "not a line of a policy"),
        (THREE + "group g 4 a b c\nquorum g", "4 of 3"),
        (THREE + "group g some a b c\nquorum g", "line 4"),
        ("watcher a", "not a line of a policy"),
        (f"witness a {KEYS[0].replace('+B', '+A')}\nquorum a", "line 1: no verifier key"),
    ],
)
def test_a_policy_that_is_none_says_where(text: str, why: str):
    with pytest.raises(BadPolicy, match=why.replace("+", r"\+")):
        parse_policy(text)


def test_a_key_is_written_as_it_is_read():
    assert [str(parse_verifier_key(one)) for one in KEYS] == KEYS
