"""One file per scenario; each takes a running stack and returns what it found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from goal_ledger_local.stack import Stack

from faults.finding import Finding
from faults.scenarios.both_restored import both_restored
from faults.scenarios.both_ways import both_ways, poison
from faults.scenarios.import_killed import import_killed
from faults.scenarios.inbox_waits import inbox_waits
from faults.scenarios.judged_lives import judged_lives
from faults.scenarios.paused import command_paused, server_hangs, worker_paused
from faults.scenarios.racing_links import racing_links
from faults.scenarios.same_key import same_key
from faults.scenarios.secrecy import secrecy
from faults.scenarios.store_restored import restored_while_running, store_restored
from faults.scenarios.topic_lost import topic_lost, topic_made_by_another
from faults.scenarios.two_processes import bulk_beside_singles, two_processes
from faults.scenarios.whole_lives import whole_lives

SCENARIOS: dict[str, Callable[[Stack], Awaitable[Finding]]] = {
    "whole-lives": whole_lives,
    "judged-lives": judged_lives,
    "same-key": same_key,
    "racing-links": racing_links,
    "two-processes": two_processes,
    "bulk-beside-singles": bulk_beside_singles,
    "both-ways": both_ways,
    "poison": poison,
    "import-killed": import_killed,
    "inbox-waits": inbox_waits,
    "topic-lost": topic_lost,
    "topic-made-by-another": topic_made_by_another,
    "secrecy": secrecy,
    "command-paused": command_paused,
    "worker-paused": worker_paused,
    "server-hangs": server_hangs,
    "both-restored": both_restored,
    "store-restored": store_restored,
    "restored-while-running": restored_while_running,
}
"""In the order in which they are run on one stack; the last two leave a workspace behind for good."""

__all__ = [
    "SCENARIOS",
    "both_restored",
    "both_ways",
    "bulk_beside_singles",
    "command_paused",
    "import_killed",
    "inbox_waits",
    "poison",
    "racing_links",
    "restored_while_running",
    "same_key",
    "secrecy",
    "server_hangs",
    "store_restored",
    "topic_lost",
    "topic_made_by_another",
    "two_processes",
    "whole_lives",
    "worker_paused",
]
