"""Every limit on what a command may hold, by name. Listed in ``docs/limits.md``, which a test compares with this."""

from __future__ import annotations

from datetime import timedelta

TITLE_MAX_CHARACTERS = 300
"""Titles of objectives, texts of key results and steps."""
NAME_MAX_CHARACTERS = 200
"""Names of workspaces, units, people, cycles and systems."""
DESCRIPTION_MAX_CHARACTERS = 4000
"""Descriptions of objectives, key results and feeds."""
ZONE_MAX_CHARACTERS = 1000
"""The text of one zone of a ranged measure."""
NOTE_MAX_CHARACTERS = 8000
"""Notes of check-ins, comments, kudos, retrospectives."""
REASON_MAX_CHARACTERS = 1000
"""Why a change was made."""
BLOCKER_MAX_CHARACTERS = 1000
"""One blocker of a check-in."""
EVIDENCE_MAX_CHARACTERS = 2000
"""One evidence link."""
MEASURE_UNIT_MAX_CHARACTERS = 40
"""The unit of a measure, feed or reading."""
ISSUER_MAX_CHARACTERS = 500
"""Issuer and subject of an identity."""
READING_NAME_MAX_BYTES = 512
"""Source and id of a reading, each, in UTF-8."""
SEQUENCE_MAX_CHARACTERS = 64
"""The sequence number of a reading."""
POINTER_MAX_CHARACTERS = 200
"""A JSON pointer within a fact's data."""

BLOCKERS_MAX_ITEMS = 20
"""Of one check-in."""
EVIDENCE_MAX_ITEMS = 20
"""Of one check-in."""
CONTRIBUTORS_MAX_ITEMS = 50
"""Of one objective."""
KEY_RESULTS_MAX_ITEMS = 50
"""Key results of one objective, dropped ones included; the policy ``max_key_results`` may ask for fewer."""
JUDGED_AGAIN_MAX_ITEMS = 5000
"""Readings in quarantine that one restart of a counter judges again; the same restart again judges the next."""
STEPS_MAX_ITEMS = 200
"""Steps of a checklist."""
PARTS_MAX_ITEMS = 20
"""Parts of a compound measure."""
LINKS_MAX_ITEMS = 20
"""Parents of one objective."""
UNIT_DEPTH_MAX_LEVELS = 32
"""How deep the tree of units may be."""

VALUE_MAX_DIGITS_BEFORE = 18
"""Of a value, before the point."""
VALUE_MAX_DIGITS_AFTER = 6
"""Of a value, after the point."""
WEIGHT_MAX_DIGITS_BEFORE = 6
"""Of a weight, before the point."""
WEIGHT_MAX_DIGITS_AFTER = 6
"""Of a weight, after the point."""

DURATION_MAX_YEARS = 100
"""Longest ISO 8601 duration: of a window, or a feed's interval."""

TIME_MIN_YEAR = 1900
"""Of any stated instant or date."""
TIME_MAX_YEAR = 2999
"""Of any stated instant or date."""

AHEAD_MAX = timedelta(minutes=5)
"""How far ahead of our clock a stated time may lie."""
