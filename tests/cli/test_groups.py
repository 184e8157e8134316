"""``otter group …`` against a service in memory: what is sent, printed, and returned."""

import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.documents import read_json, write_json
from otter.cli.exits import NotAllowedError
from tests.cli.scene import COMPUTE, GROUP, Desk, Screen, a_group, a_state

G = f"/groups/{GROUP}"
SERVERS = f"{COMPUTE}/servers/detail"
NEW = ("group", "create", "web", "--flavor", "2", "--image", "i")


class ListTests(SynchronousTestCase):
    """``otter group list``."""

    def setUp(self) -> None:
        """Have one group."""
        self.desk = Desk()
        self.desk.script.on("GET /groups?limit=100", {"groups": [a_group()], "groups_links": []})

    def test_table(self) -> None:
        """People see capacities at one glance."""
        status = self.desk.type("group", "list")

        self.assertEqual(0, status)
        self.assertEqual(
            "ID                                    NAME  STATUS  DESIRED  ACTIVE  PENDING  PAUSED\n"
            f"{GROUP}  web   ACTIVE  2        2       0        false\n",
            self.desk.out.getvalue(),
        )
        self.assertEqual("", self.desk.err.getvalue())

    def test_terminal(self) -> None:
        """On a terminal the heading stands out."""
        desk = Desk(self.desk.script, out=Screen())
        desk.type("group", "list")

        self.assertTrue(desk.out.getvalue().startswith("\x1b[1mID"))

    def test_options_before_and_behind(self) -> None:
        """Shared options work on either side of the command."""
        before, behind = Desk(self.desk.script), Desk(self.desk.script)
        before.type("--debug", "group", "list")
        behind.type("group", "list", "--debug")

        self.assertEqual(["connected\n"] * 2, [before.err.getvalue(), behind.err.getvalue()])

    def test_limit(self) -> None:
        """No more is asked for than is wanted."""
        self.desk.script.on("GET /groups?limit=1", {"groups": []})
        self.desk.type("group", "list", "--limit", "1")

        self.assertEqual(["GET /groups?limit=1"], self.desk.script.lines)


class ShowTests(SynchronousTestCase):
    """``otter group show`` and ``state``."""

    def setUp(self) -> None:
        """Have one group."""
        self.desk = Desk()
        self.desk.script.on(f"GET {G}", {"group": a_group()})
        self.desk.script.on(f"GET {G}/state", {"group": a_state(1, 2, errors=("why",))})

    def test_json(self) -> None:
        """Scripts see everything the service says."""
        self.desk.type("group", "show", GROUP, "-f", "json")

        self.assertEqual(a_group(), read_json(self.desk.out.getvalue()))

    def test_state(self) -> None:
        """Columns can be picked for a shell's variables."""
        columns = ("-c", "active", "-c", "errors")
        self.desk.type("group", "state", GROUP, "--format", "value", *columns)

        self.assertEqual("1\nwhy\n", self.desk.out.getvalue())

    def test_not_found(self) -> None:
        """What is not there has a status of its own and one line that says so."""
        self.desk.script.answers.clear()
        self.desk.script.refuse(f"GET {G}", 404, "NoSuchScalingGroupError")

        self.assertEqual(3, self.desk.type("group", "show", GROUP))
        self.assertEqual(
            "otter: NoSuchScalingGroupError: no,; thanks (HTTP 404)\n", self.desk.err.getvalue()
        )
        self.assertEqual("", self.desk.out.getvalue())

    def test_not_allowed(self) -> None:
        """A command that cannot log in says so and sends nothing."""
        desk = Desk(broken=NotAllowedError("identity: no"))

        self.assertEqual(4, desk.type("group", "show", GROUP))
        self.assertEqual("otter: identity: no\n", desk.err.getvalue())


class CreateTests(SynchronousTestCase):
    """``otter group create``."""

    def setUp(self) -> None:
        """Have a service that creates a group of two servers."""
        self.desk = Desk()
        self.desk.script.on("POST /groups", {"group": a_group(a_state(0, 0))}, status=201)
        self.desk.script.on(f"GET {G}", {"group": a_group()})

    def test_at_once(self) -> None:
        """Without waiting, the answer is printed as it came."""
        status = self.desk.type(*NEW, "--min", "2", "-f", "value", "-c", "id")

        self.assertEqual((0, f"{GROUP}\n"), (status, self.desk.out.getvalue()))
        self.assertEqual(["POST /groups"], self.desk.script.lines)

    def test_options_reach_the_body(self) -> None:
        """Each option ends in its place in the body."""
        self.desk.type(
            *NEW, "--min", "2", "--max", "6", "--cooldown", "9", "--metadata", "a=b", "--network",
            "n", "--load-balancer", "4410:8000", "--load-balancer", "4411:80", "--notify", "http://a",
            "--draining-timeout", "30", "--server-name", "w", "--key-name", "k",
        )  # fmt: skip

        self.assertEqual(
            {
                "groupConfiguration": {
                    "name": "web",
                    "cooldown": 9,
                    "minEntities": 2,
                    "maxEntities": 6,
                    "metadata": {"a": "b"},
                },
                "launchConfiguration": {
                    "type": "launch_server",
                    "args": {
                        "server": {
                            "name": "w",
                            "imageRef": "i",
                            "flavorRef": "2",
                            "key_name": "k",
                            "networks": [{"uuid": "n"}],
                        },
                        "loadBalancers": [
                            {"loadBalancerId": 4410, "port": 8000},
                            {"loadBalancerId": 4411, "port": 80},
                        ],
                        "draining_timeout": 30,
                        "notify": [{"url": "http://a"}],
                    },
                },
            },
            self.desk.script.body_of("POST /groups"),
        )

    def test_files(self) -> None:
        """A body comes from standard input as well as from a file, user data from a file."""
        body = {"launchConfiguration": {"type": "launch_server", "args": {"server": {}}}}
        with tempfile.NamedTemporaryFile() as script:
            script.write(b"#!/bin/sh")
            script.flush()
            desk = Desk(self.desk.script, stdin=write_json(body).encode())
            status = desk.type(*NEW, "--from-file", "-", "--user-data", script.name)
        sent = self.desk.script.body_of("POST /groups")

        self.assertEqual(0, status)
        self.assertEqual(
            {"imageRef": "i", "flavorRef": "2", "user_data": "IyEvYmluL3No"},
            sent["launchConfiguration"]["args"]["server"],
        )

    def test_unreadable_files(self) -> None:
        """A file that cannot be read is wrong usage, and nothing is created."""
        nowhere = str(Path(tempfile.gettempdir()) / "otter-nowhere" / "group.json")

        self.assertEqual(2, self.desk.type(*NEW, "--from-file", nowhere))
        self.assertEqual(2, Desk(self.desk.script, stdin=b"\xff").type(*NEW, "--from-file", "-"))
        self.assertEqual([], self.desk.script.requests)

    def test_misspelt_column(self) -> None:
        """The mistake comes to light before the group does."""
        self.assertEqual(2, self.desk.type(*NEW, "-c", "idd"))
        self.assertEqual([], self.desk.script.requests)

    def test_wait(self) -> None:
        """The id is told at once, progress on the side, the settled group at the end."""
        states = [{"group": a_state(active, 2)} for active in (0, 1, 2)]
        self.desk.script.on(f"GET {G}/state", *states)
        status = self.desk.type(*NEW, "--wait", "-f", "value", "-c", "active")

        self.assertEqual((0, "2\n"), (status, self.desk.out.getvalue()))
        self.assertEqual(
            f"group {GROUP} is created\n"
            "0 active, 2 pending, 2 desired\n"
            "1 active, 1 pending, 2 desired\n"
            "2 active, 0 pending, 2 desired\n",
            self.desk.err.getvalue(),
        )

    def test_wait_in_vain(self) -> None:
        """A group in ERROR is printed all the same: it exists, and somebody has to clean up."""
        self.desk.script.on(f"GET {G}/state", {"group": a_state(0, 2, errors=("no image",))})
        status = self.desk.type(*NEW, "--wait", "-f", "value", "-c", "id")

        self.assertEqual((6, f"{GROUP}\n"), (status, self.desk.out.getvalue()))
        self.assertTrue(self.desk.err.getvalue().endswith("otter: ERROR: no image\n"))

    def test_timeout(self) -> None:
        """Scripts choose how long they can wait."""
        self.desk.script.on(f"GET {G}/state", {"group": a_state(0, 2)})

        self.assertEqual(6, self.desk.type(*NEW, "--wait", "--timeout", "3"))
        self.assertEqual(3, self.desk.time.seconds)


class UpdateTests(SynchronousTestCase):
    """``otter group update``."""

    def setUp(self) -> None:
        """Have one group."""
        self.desk = Desk()
        self.desk.script.on(f"GET {G}", {"group": a_group()})
        self.desk.script.on(f"PUT {G}/config", status=204)
        self.desk.script.on(f"PUT {G}/launch", status=204)

    def test_config(self) -> None:
        """Only the half that changes is written, whole, as the service wants it."""
        self.desk.type("group", "update", GROUP, "--max", "20")

        self.assertEqual(
            {**a_group()["groupConfiguration"], "maxEntities": 20},
            self.desk.script.body_of(f"PUT {G}/config"),
        )
        self.assertEqual([f"GET {G}", f"PUT {G}/config", f"GET {G}"], self.desk.script.lines)

    def test_launch(self) -> None:
        """A new image leaves the load balancers alone."""
        self.desk.type("group", "update", GROUP, "--image", "j")
        launch = self.desk.script.body_of(f"PUT {G}/launch")

        self.assertEqual("j", launch["args"]["server"]["imageRef"])
        self.assertEqual(
            a_group()["launchConfiguration"]["args"]["loadBalancers"],
            launch["args"]["loadBalancers"],
        )

    def test_nothing(self) -> None:
        """An update that changes nothing writes nothing."""
        self.assertEqual(0, self.desk.type("group", "update", GROUP, "--max", "8"))
        self.assertEqual([f"GET {G}"] * 2, self.desk.script.lines)

    def test_wait(self) -> None:
        """More servers at least can be waited for."""
        states = [{"group": a_state(2, 3)}, {"group": a_state(3, 3)}]
        self.desk.script.on(f"GET {G}/state", *states)

        self.assertEqual(0, self.desk.type("group", "update", GROUP, "--min", "3", "--wait"))
        self.assertEqual(0.5, self.desk.time.seconds)


class DeleteTests(SynchronousTestCase):
    """``otter group delete``."""

    def setUp(self) -> None:
        """Have a group that may be deleted."""
        self.desk = Desk()
        self.desk.script.on(f"DELETE {G}", status=204)
        self.desk.script.on(f"DELETE {G}?force=true", status=204)

    def servers(self, *groups: str) -> dict[str, Any]:
        """Return a list of servers with the marks of these groups."""
        marked = [{"id": g, "metadata": {"rax:auto_scaling_group_id": g}} for g in groups]
        return {"servers": [{"id": "foreign"}, *marked]}

    def test_at_once(self) -> None:
        """Nothing is printed: the status says it all."""
        self.assertEqual(0, self.desk.type("group", "delete", GROUP))
        self.assertEqual("", self.desk.out.getvalue() + self.desk.err.getvalue())

    def test_not_empty(self) -> None:
        """A group that wants servers needs force."""
        self.desk.script.answers.clear()
        self.desk.script.refuse(f"DELETE {G}", 403, "GroupNotEmptyError")

        self.assertEqual(1, self.desk.type("group", "delete", GROUP))
        self.assertIn("GroupNotEmptyError", self.desk.err.getvalue())

    def test_wait(self) -> None:
        """It ends when the cloud twice lists none of its servers; other servers do not count."""
        lists = [self.servers(GROUP, "other"), self.servers("other"), self.servers("other")]
        self.desk.script.on(f"GET {SERVERS}?limit=100", *lists)
        status = self.desk.type("group", "delete", GROUP, "--force", "--wait")

        self.assertEqual(0, status)
        self.assertEqual("servers left: 1\nservers left: 0\n", self.desk.err.getvalue())
        self.assertEqual([0.5, 0.75], self.desk.time.slept)

    def test_late_appearance(self) -> None:
        """A server whose creation was on its way starts the count afresh."""
        lists = [self.servers(), self.servers(GROUP), self.servers(), self.servers()]
        self.desk.script.on(f"GET {SERVERS}?limit=100", *lists)
        self.desk.type("group", "delete", GROUP, "--force", "--wait")

        self.assertEqual(4, sum(SERVERS in line for line in self.desk.script.lines))

    def test_nowhere_to_look(self) -> None:
        """Whoever cannot see servers is told before anything is deleted."""
        desk = Desk(self.desk.script, compute=None)

        self.assertEqual(2, desk.type("group", "delete", GROUP, "--wait"))
        self.assertEqual([], desk.script.requests)


class MoveTests(SynchronousTestCase):
    """``otter group pause``, ``resume``, ``converge``."""

    def setUp(self) -> None:
        """Have a group that does as it is told."""
        self.desk = Desk()
        for action in ("pause", "resume", "converge"):
            self.desk.script.on(f"POST {G}/{action}", status=204)

    def test_actions(self) -> None:
        """Each is one request and prints nothing."""
        for action in ("pause", "resume", "converge"):
            self.assertEqual(0, self.desk.type("group", action, GROUP))

        self.assertEqual(
            [f"POST {G}/pause", f"POST {G}/resume", f"POST {G}/converge"], self.desk.script.lines
        )
        self.assertEqual("", self.desk.out.getvalue() + self.desk.err.getvalue())

    def test_leaving_error(self) -> None:
        """Converging a group in ERROR waits for it to leave that, instead of giving up at once."""
        bad, good = {"group": a_state(0, 1, errors=("old",))}, {"group": a_state(1, 1)}
        self.desk.script.on(f"GET {G}/state", bad, bad, good)

        self.assertEqual(0, self.desk.type("group", "converge", GROUP, "--wait"))
        self.assertEqual([f"GET {G}/state", f"POST {G}/converge"], self.desk.script.lines[:2])

    def test_paused(self) -> None:
        """A refusal ends the command; nothing is waited for."""
        self.desk.script.answers.clear()
        self.desk.script.on(f"GET {G}/state", {"group": a_state(paused=True)})
        self.desk.script.refuse(f"POST {G}/converge", 403, "GroupPausedError")

        self.assertEqual(1, self.desk.type("group", "converge", GROUP, "--wait"))
        self.assertEqual([], self.desk.time.slept)
