"""Access as facts: identities, roles, keys; and what follows from them."""

from dataclasses import replace
from typing import Any

import pytest
from goal_ledger_contracts.person import PersonAdded, PersonCameBack, PersonLeft, PersonShredded
from goal_ledger_contracts.workspace import (
    IdentityLinked,
    IdentityUnlinked,
    KeyIssued,
    KeyRevoked,
    KeyRotated,
    RoleGranted,
    RoleRevoked,
    SystemRegistered,
    SystemRetired,
)
from goal_ledger_domain.access import (
    GrantRole,
    IssueKey,
    LinkIdentity,
    RevokeKey,
    RevokeRole,
    RotateKey,
    UnlinkIdentity,
    holder_of_key,
    person_of,
    roles,
)
from goal_ledger_domain.person import LeaveOrganisation, ShredPerson
from goal_ledger_domain.system import RegisterSystem, RetireSystem
from support.given_when_then import Record, given, meta, on

R = meta(reason="Left the company")
D1, D2 = "1" * 64, "2" * 64
ACME = "workspace/acme"


def staff() -> Record:
    return given(
        on("person/ada", PersonAdded("Ada")),
        on("person/bob", PersonAdded("Bob")),
        on("person/gone", PersonAdded("Gone"), PersonShredded()),
        on(ACME, SystemRegistered("webshop", "Web shop")),
        on(ACME, SystemRegistered("old", "Old"), SystemRetired("old")),
    )


# Identities


def test_an_identity_is_linked_to_a_person() -> None:
    record = staff()
    asked = LinkIdentity(meta(), "https://issuer", "abc", "ada")
    record.when(asked).then(IdentityLinked("https://issuer", "abc", "ada"))
    record.tell(asked)
    assert person_of(record.world, "https://issuer", "abc") == "person/ada"
    assert person_of(record.world, "https://issuer", "other") is None
    assert person_of(record.world, "https://issuera", "bc") is None


def test_nothing_of_a_shredded_person_signs_in_any_more() -> None:
    record = staff().given(
        on(ACME, IdentityLinked("https://issuer", "bob", "bob"), KeyIssued("k9", "person/bob", D1))
    )
    assert person_of(record.world, "https://issuer", "bob") == "person/bob"
    assert holder_of_key(record.world, "k9", D1) == "person/bob"
    record.given(on("person/bob", PersonShredded()))
    assert person_of(record.world, "https://issuer", "bob") is None
    assert holder_of_key(record.world, "k9", D1) is None


def test_nothing_of_who_left_signs_in_until_they_come_back() -> None:
    record = staff().given(
        on(ACME, IdentityLinked("https://issuer", "bob", "bob"), KeyIssued("k9", "person/bob", D1))
    )
    record.given(on("person/bob", PersonLeft()))
    assert person_of(record.world, "https://issuer", "bob") is None
    assert holder_of_key(record.world, "k9", D1) is None
    record.when(GrantRole(meta(), "person/bob", "owner")).then_refused("person_left", "holder")
    record.when(IssueKey(meta(), "k8", "person/bob", D2)).then_refused("person_left", "holder")
    for subject in ("b2", "bob"):
        asked = LinkIdentity(meta(), "https://issuer", subject, "bob")
        record.when(asked).then_refused("person_left", "person")
    record.when(IssueKey(meta(), "k9", "person/bob", D1)).then_refused("person_left", "holder")
    record.given(on("person/bob", PersonCameBack()))
    assert person_of(record.world, "https://issuer", "bob") == "person/bob"
    assert holder_of_key(record.world, "k9", D1) == "person/bob"


def test_an_identity_is_unlinked_and_may_be_linked_to_somebody_else() -> None:
    record = staff().given(on(ACME, IdentityLinked("https://issuer", "bob", "bob")))
    asked = UnlinkIdentity(R, "https://issuer", "bob")
    record.when(UnlinkIdentity(meta(), "https://issuer", "bob")).then_refused("reason_required", "reason")
    record.when(UnlinkIdentity(R, "https://issuer", "x")).then_refused("unknown_identity", "subject")
    record.when(asked).then(IdentityUnlinked("https://issuer", "bob", "bob"))
    record.told(asked)
    record.when(asked).then_nothing_new()
    assert person_of(record.world, "https://issuer", "bob") is None
    record.when(LinkIdentity(meta(), "https://issuer", "bob", "ada")).then(
        IdentityLinked("https://issuer", "bob", "ada")
    )


def test_issuer_and_subject_are_kept_byte_for_byte() -> None:
    for subject in ("e\u0301", " padded "):
        asked = LinkIdentity(meta(), "https://issuer", subject, "ada")
        staff().when(asked).then(IdentityLinked("https://issuer", subject, "ada"))


def test_linked_again_alike_it_is_nothing_new_and_to_another_person_it_is_taken() -> None:
    record = staff().told(LinkIdentity(meta(), "https://issuer", "abc", "ada"))
    record.when(LinkIdentity(meta(), "https://issuer", "abc", "ada")).then_nothing_new()
    record.when(LinkIdentity(meta(), "https://issuer", "abc", "bob")).then_refused("identity_taken")


def test_an_identity_is_linked_to_somebody_who_is_there() -> None:
    staff().when(LinkIdentity(meta(), "i", "s", "nobody")).then_refused("unknown_person", "person")
    staff().when(LinkIdentity(meta(), "i", "s", "gone")).then_refused("person_shredded", "person")
    staff().when(LinkIdentity(meta(), "", "s", "ada")).then_refused("text_empty", "issuer")


# Roles


def test_a_role_is_granted_and_revoked() -> None:
    record = staff()
    record.when(GrantRole(meta(), "person/ada", "owner")).then(RoleGranted("person/ada", "owner"))
    record.told(GrantRole(meta(), "person/ada", "owner"), GrantRole(meta(), "person/ada", "analyst"))
    assert roles(record.world, "person/ada") == {"owner", "analyst"}
    record.when(RevokeRole(R, "person/ada", "owner")).then(RoleRevoked("person/ada", "owner"))
    record.tell(RevokeRole(R, "person/ada", "owner"))
    assert roles(record.world, "person/ada") == {"analyst"}


def test_a_role_held_is_not_granted_twice_and_one_not_held_not_revoked() -> None:
    record = staff().told(GrantRole(meta(), "person/ada", "owner"))
    record.when(GrantRole(meta(), "person/ada", "owner")).then_nothing_new()
    record.when(RevokeRole(meta(), "person/ada", "admin")).then_nothing_new()


def test_revoking_a_role_needs_a_reason() -> None:
    record = staff().told(GrantRole(meta(), "person/ada", "owner"))
    record.when(RevokeRole(meta(), "person/ada", "owner")).then_refused("reason_required")


def test_a_role_is_known_and_its_holder_there() -> None:
    for role in ("boss", "service", "operator"):
        staff().when(GrantRole(meta(), "person/ada", role)).then_refused("choice_unknown", "role")
    staff().when(GrantRole(meta(), "person/nobody", "owner")).then_refused("unknown_person", "holder")
    staff().when(GrantRole(meta(), "system/none", "emitter")).then_refused("unknown_system", "holder")
    staff().when(GrantRole(meta(), "system/old", "emitter")).then_refused("system_retired", "holder")
    staff().when(GrantRole(meta(), "unit/x", "owner")).then_refused("reference_malformed", "holder")


# Keys


def keyed() -> Record:
    return staff().told(IssueKey(meta(), "k1", "system/webshop", D1))


def test_a_key_is_issued_and_known_by_its_digest() -> None:
    staff().when(IssueKey(meta(), "k1", "system/webshop", D1)).then(KeyIssued("k1", "system/webshop", D1))
    assert holder_of_key(keyed().world, "k1", D1) == "system/webshop"
    assert holder_of_key(keyed().world, "k1", D2) is None
    assert holder_of_key(keyed().world, "k2", D1) is None


def test_a_rotated_key_takes_the_place_of_the_old_one() -> None:
    record = keyed()
    record.when(RotateKey(meta(), "k1", D2)).then(KeyRotated("k1", D2))
    record.tell(RotateKey(meta(), "k1", D2))
    assert holder_of_key(record.world, "k1", D1) is None
    assert holder_of_key(record.world, "k1", D2) == "system/webshop"
    record.when(RotateKey(meta(), "k1", D2)).then_nothing_new()


def test_a_revoked_key_opens_nothing_and_is_not_rotated() -> None:
    record = keyed()
    record.when(RevokeKey(R, "k1")).then(KeyRevoked("k1"))
    record.when(RevokeKey(meta(), "k1")).then_refused("reason_required")
    record.tell(RevokeKey(R, "k1"))
    assert holder_of_key(record.world, "k1", D1) is None
    record.when(RevokeKey(meta(), "k1")).then_nothing_new()
    record.when(RotateKey(meta(), "k1", D2)).then_refused("key_revoked")


def test_a_key_id_is_used_once() -> None:
    keyed().when(IssueKey(meta(), "k1", "system/webshop", D1)).then_nothing_new()
    keyed().when(IssueKey(meta(), "k1", "person/ada", D1)).then_refused("id_taken", "key")


def test_keys_that_are_not_there_or_not_digests_are_refused() -> None:
    staff().when(RotateKey(meta(), "k1", D1)).then_refused("unknown_key", "key")
    staff().when(RevokeKey(R, "k1")).then_refused("unknown_key", "key")
    staff().when(IssueKey(meta(), "k1", "system/webshop", "secret")).then_refused(
        "digest_malformed", "digest"
    )
    staff().when(IssueKey(meta(), "k 1", "system/webshop", D1)).then_refused("id_malformed", "key")


# Systems


def test_a_system_is_registered_and_is_an_emitter_from_then_on() -> None:
    record = given()
    record.when(RegisterSystem(meta(), "webshop", "Shop")).then(SystemRegistered("webshop", "Shop"))
    record.tell(RegisterSystem(meta(), "webshop", "Shop"))
    assert roles(record.world, "system/webshop") == {"emitter"}


def test_registered_again_alike_it_is_nothing_new_and_otherwise_taken() -> None:
    staff().when(RegisterSystem(meta(), "webshop", "Web shop")).then_nothing_new()
    staff().when(RegisterSystem(meta(), "webshop", "Other")).then_refused("id_taken", "system")
    staff().when(RegisterSystem(meta(), "Web.Shop", "Other")).then_refused("id_malformed", "system")
    staff().when(RegisterSystem(meta(), "old", "Old")).then_refused("system_retired", "system")


def test_a_system_is_retired_with_a_reason_and_once() -> None:
    staff().when(RetireSystem(R, "webshop")).then(SystemRetired("webshop"))
    staff().when(RetireSystem(meta(), "webshop")).then_refused("reason_required")
    staff().when(RetireSystem(meta(), "old")).then_nothing_new()
    staff().when(RetireSystem(R, "none")).then_refused("unknown_system", "system")


# The last admin


def _with_admins(*facts: object) -> Record:
    """ada is admin and signs in with an identity; whoever else the facts make one."""
    return staff().given(
        on(ACME, RoleGranted("person/ada", "admin"), IdentityLinked("https://issuer", "ada", "ada"), *facts)
    )


BOB_TOO = (RoleGranted("person/bob", "admin"), IdentityLinked("https://issuer", "bob", "bob"))
BY_ADA = meta("person/ada", reason="Left the company")
ENDS = (
    RevokeRole(BY_ADA, "person/ada", "admin"),
    ShredPerson(BY_ADA, "ada"),
    LeaveOrganisation(BY_ADA, "ada"),
    UnlinkIdentity(BY_ADA, "https://issuer", "ada"),
)


@pytest.mark.parametrize("asked", ENDS)
def test_the_last_admin_stays_one(asked: object) -> None:
    _with_admins().when(asked).then_refused("last_admin")
    _with_admins(RoleGranted("person/bob", "admin")).when(asked).then_refused("last_admin")
    assert _with_admins(*BOB_TOO).when(asked).refusal is None


@pytest.mark.parametrize("asked", ENDS)
def test_the_operator_can_make_another_admin_and_ends_the_last_ones_access_too(asked: Any) -> None:
    assert _with_admins().when(replace(asked, meta=meta("operator", reason="By order"))).refusal is None


def test_one_of_two_ways_in_may_end() -> None:
    unlinking = UnlinkIdentity(BY_ADA, "https://issuer", "ada")
    assert _with_admins(IdentityLinked("https://other", "ada", "ada")).when(unlinking).refusal is None
    assert _with_admins(KeyIssued("k", "person/ada", D1)).when(unlinking).refusal is None


def test_an_admin_that_signs_in_with_a_key_counts_as_long_as_the_key_does() -> None:
    by_key = (RoleGranted("system/webshop", "admin"), KeyIssued("k", "system/webshop", D1))
    revoking = RevokeRole(BY_ADA, "person/ada", "admin")
    assert _with_admins(*by_key).when(revoking).refusal is None
    for gone in (KeyRevoked("k"), SystemRetired("webshop"), RoleRevoked("system/webshop", "admin")):
        _with_admins(*by_key, gone).when(revoking).then_refused("last_admin")
    alone = staff().given(on(ACME, *by_key))
    for asked in (
        RevokeKey(BY_ADA, "k"),
        RetireSystem(BY_ADA, "webshop"),
        RevokeRole(BY_ADA, "system/webshop", "admin"),
    ):
        alone.when(asked).then_refused("last_admin")
    assert alone.when(RotateKey(BY_ADA, "k", D2)).refusal is None
    assert alone.when(RevokeRole(BY_ADA, "system/webshop", "emitter")).refusal is None


def test_where_nobody_is_admin_none_is_missed() -> None:
    record = staff().given(on(ACME, RoleGranted("person/ada", "owner")))
    record.when(RevokeRole(R, "person/ada", "owner")).then(RoleRevoked("person/ada", "owner"))
