"""
How fast webhooks are executed, durably, and how soon the cloud is asked for a server.

Throughput: executions per second that are on disk when they are answered (SQLite, an fsync shared
by
those who wait), as a fraction of bare Klein answering small JSON documents; both measured
alternately.
Reaction: from sending a webhook hit to the arrival of the create request at the cloud, as a
multiple
of a bare round trip.
"""

from collections.abc import Iterator
from itertools import islice
from statistics import median
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from bench.load import Result, post, run_load
from bench.place import Place
from otter.testing.client import Client
from otter.testing.processes import eventually

GROUPS = 8
CONNECTIONS = 32
REQUESTS = 3200
"""Twice a multiple of ``GROUPS``: every group is raised as often as lowered."""
ROUNDS = 3
REACTIONS = 60
MIDDLE = 500
EXECUTE = "/v1.0/execute/1/x"


async def make_group(client: Client, credentials: Any, *changes: int) -> tuple[str, list[str]]:
    """Create a group with a webhook for each change; return its id and the webhooks' paths."""
    body = {
        "groupConfiguration": {"name": "b", "cooldown": 0, "minEntities": 0, "maxEntities": 1000},
        "launchConfiguration": {
            "type": "launch_server",
            "args": {
                "server": {
                    "imageRef": credentials["images"][0]["id"],
                    "flavorRef": credentials["flavors"][0]["id"],
                }
            },
        },
        "scalingPolicies": [
            {"name": str(change), "type": "webhook", "change": change, "cooldown": 0}
            for change in changes
        ],
    }
    group = (await client.expect(201, "POST", "/groups", body))["group"]
    paths = []
    for policy in group["scalingPolicies"]:
        path = f"/groups/{group['id']}/policies/{policy['id']}/webhooks"
        hooks = await client.expect(201, "POST", path, [{"name": "w"}])
        links = {link["rel"]: link["href"] for link in hooks["webhooks"][0]["links"]}
        paths.append("/" + links["capability"].split("/", 3)[3])
    return group["id"], paths


async def throughput(place: Place) -> str:
    """Return the line about executions per second."""
    assert place.cloud is not None
    # Only the API runs: what is measured is taking a call to disk, not what the supervisor does
    # next.
    otter, client = await place.start_otter("throughput", {"roles": ["api"]})
    made = [await make_group(client, place.cloud.credentials, 1, -1) for _ in range(GROUPS)]
    for group, _ in made:
        await _set_capacity(client, group, MIDDLE)
    ups = [paths[0] for _, paths in made]
    downs = [paths[1] for _, paths in made]
    port = int(otter.base_url.rsplit(":", 1)[1])
    bare_port = await place.start_yardstick()

    def executions() -> Iterator[bytes]:
        """Up for as long as down follows, so that no execution is without a change."""
        for number in range(REQUESTS):
            upwards = (number // (REQUESTS // 2)) % 2 == 0
            yield post((ups if upwards else downs)[number % GROUPS])

    def bare() -> Iterator[bytes]:
        return islice(iter(lambda: post(EXECUTE), None), REQUESTS)

    ratios, rates, bares = [], [], []
    for _ in range(ROUNDS):
        bare_run = await run_load(place.reactor, bare_port, CONNECTIONS, bare)
        run = await run_load(place.reactor, port, CONNECTIONS, executions)
        _insist(run, bare_run)
        rates.append(run.rate)
        bares.append(bare_run.rate)
        ratios.append(run.rate / bare_run.rate)
    changed = await _executed(client, [group for group, _ in made])
    return (
        f"webhook executions, durable   {median(rates):8.0f} /s   "
        f"bare Klein {median(bares):8.0f} /s   ratio {median(ratios):.2f}   "
        f"({ROUNDS} rounds of {REQUESTS} over {CONNECTIONS} connections, {changed} groups checked)"
    )


def _insist(*runs: Result) -> None:
    for run in runs:
        answered = sum(n for status, n in run.statuses.items() if status < 300)
        if answered != REQUESTS:
            raise AssertionError(f"not every request was answered well: {run.statuses}")


async def _set_capacity(client: Client, group: str, capacity: int) -> None:
    """Start in the middle, where no execution meets a bound."""
    policy = {"name": "set", "type": "webhook", "desiredCapacity": capacity, "cooldown": 0}
    added = await client.expect(201, "POST", f"/groups/{group}/policies", [policy])
    path = f"/groups/{group}/policies/{added['policies'][0]['id']}/execute"
    await client.expect(202, "POST", path)


async def _executed(client: Client, groups: list[str]) -> int:
    """Check that every execution was applied: as many went up as came down."""
    for group in groups:
        state = await client.expect(200, "GET", f"/groups/{group}/state")
        if state["group"]["desiredCapacity"] != MIDDLE:
            raise AssertionError(f"executions were lost: {state}")
    return len(groups)


async def reaction(place: Place) -> str:
    """Return the line about the time until the first create request."""
    assert place.cloud is not None
    otter, client = await place.start_otter("reaction")
    group, (hook,) = await make_group(client, place.cloud.credentials, 1)
    bare_port = await place.start_yardstick()
    hits, trips = Client(place.reactor, otter.base_url), Client(place.reactor, "")
    bare_url = f"http://127.0.0.1:{bare_port}{EXECUTE}"
    times, round_trips = [], []
    for _ in range(REACTIONS):
        times.append(await _one_reaction(place, hits, hook))
        started = place.reactor.seconds()
        await trips.call("POST", bare_url)
        round_trips.append(place.reactor.seconds() - started)
        await _at_rest(place, client, group)
    ordered = sorted(times)
    return (
        f"webhook -> create request     {median(times) * 1000:8.1f} ms   "
        f"round trip {median(round_trips) * 1000:8.1f} ms   "
        f"ratio {median(times) / median(round_trips):.2f}   "
        f"({REACTIONS} samples, 95th percentile {ordered[int(0.95 * REACTIONS)] * 1000:.1f} ms)"
    )


async def _one_reaction(place: Place, hits: Client, hook: str) -> float:
    arrived: Deferred[float] = Deferred()

    def created() -> None:
        if not arrived.called:
            arrived.callback(place.reactor.seconds())

    place.on_create = created
    started = place.reactor.seconds()
    await hits.expect(202, "POST", hook)
    at = await arrived.addTimeout(10, place.reactor)
    return float(at - started)


async def _at_rest(place: Place, client: Client, group: str) -> None:
    """Wait until the group has what it wants and its cycles have ended."""

    async def look() -> bool:
        state = (await client.expect(200, "GET", f"/groups/{group}/state"))["group"]
        return bool(state["activeCapacity"] == state["desiredCapacity"])

    await eventually(place.reactor, "the group to settle", look)
    await deferLater(place.reactor, 0.2)
