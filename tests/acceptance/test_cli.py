"""
The ``otter`` script as people and their scripts use it, against running services.

Every command is a process of its own, far from the repository, with an environment that holds
nothing but what the test gives it.
"""

import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import simplejson
import yaml
from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue

from otter.testing.processes import RunningService, free_port
from tests.acceptance import world

SCRIPT = Path(sys.executable).with_name("otter")

CLOUDS = """\
clouds:
  mini:
    auth: {{auth_url: "{auth_url}", username: "{user}", password: "{password}",
           project_id: "{project}", user_domain_name: Default}}
    region_name: {region}
    autoscale_endpoint_override: "{endpoint}"
"""


@frozen
class Ended:
    """How a command ended."""

    out: str
    err: str
    status: int


class CliTestCase(world.AcceptanceTestCase):
    """Gives each test a folder with the tenant's ``clouds.yaml``."""

    async def _set_up(self) -> None:
        await super()._set_up()
        self.folder = Path(tempfile.mkdtemp(prefix="otter-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.endpoint = self.tenant.stack.otter.base_url
        self.write_clouds(self.tenant)

    def write_clouds(self, tenant: world.Tenant) -> None:
        """Have the files of this tenant."""
        credentials = tenant.stack.cloud.credentials
        text = CLOUDS.format(
            auth_url=credentials["auth_url"],
            user=tenant.user,
            password=world.PASSWORD,
            project=tenant.project,
            region=credentials["region"],
            endpoint=self.endpoint,
        )
        (self.folder / "clouds.yaml").write_text(text, "utf-8")

    @property
    def variables(self) -> dict[str, str]:
        """What the tenant would set instead of having files."""
        return {
            "OS_AUTH_URL": self.tenant.stack.cloud.credentials["auth_url"],
            "OS_USERNAME": self.tenant.user,
            "OS_PASSWORD": world.PASSWORD,
            "OS_PROJECT_ID": self.tenant.project,
            "OS_USER_DOMAIN_NAME": "Default",
            "OTTER_ENDPOINT": self.endpoint,
        }

    async def otter(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Ended:
        """Run a command, with ``clouds.yaml`` unless variables are given."""
        where = self.folder if variables is None else self.folder / "empty"
        where.mkdir(exist_ok=True)
        given = {"OS_CLOUD": "mini"} if variables is None else variables
        out, err, status = await getProcessOutputAndValue(
            sys.executable,
            [str(SCRIPT), *arguments],
            env={"HOME": str(where), "PATH": os.defpath, **given},
            path=str(where),
            reactor=reactor,
        )
        return Ended(out.decode(), err.decode(), status)

    async def done(self, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
        """Run a command that succeeds; return what it printed."""
        ended = await self.otter(*arguments, variables=variables)
        self.assertEqual(0, ended.status, f"{arguments}: {ended}")
        return ended.out

    async def create(self, *arguments: str) -> Ended:
        """Create a group ``web``; the tenant cleans up what is left of it."""
        credentials = self.tenant.stack.cloud.credentials
        image, flavor = credentials["images"][0]["id"], credentials["flavors"][0]["id"]
        boot = ("--image", image, "--flavor", flavor, "-f", "value", "-c", "id")
        ended = await self.otter("group", "create", "web", *boot, *arguments)
        self.tenant.groups += ended.out.split()
        return ended


class LifeTests(CliTestCase):
    """From creating to deleting, by ``clouds.yaml``."""

    def test_group(self) -> Deferred[None]:
        """A script can follow a group through its life by exit statuses and printed values."""
        return Deferred.fromCoroutine(self._group())

    async def _group(self) -> None:
        created = await self.create("--min", "2", "--max", "6", "--wait")
        group = created.out.strip()
        self.assertEqual(0, created.status, created)
        self.assertIn(f"group {group} is created\n", created.err)
        self.assertTrue(created.err.endswith("2 active, 0 pending, 2 desired\n"), created.err)
        self.assertEqual(2, len(await self.tenant.settled(group, 2)))
        await self._formats(group)

        grow = ("policy", "create", "web", "grow", "--change", "1")
        await self.done(*grow)
        await self.done("policy", "execute", "web", "grow", "--wait")
        self.assertEqual(3, len(await self.tenant.settled(group, 3)))

        refused = await self.otter("group", "delete", "web")
        self.assertEqual((1, ""), (refused.status, refused.out))
        self.assertRegex(refused.err, r"^otter: GroupNotEmptyError: [^\n]+ \(HTTP 403\)\n$")

        await self.done("group", "delete", "web", "--force", "--wait")
        self.assertEqual([], await self.tenant.servers(group))
        self.assertEqual(3, (await self.otter("group", "show", group)).status)

    async def _formats(self, group: str) -> None:
        [shown] = simplejson.loads(await self.done("group", "list", "--format", "json"))
        [same] = yaml.safe_load(await self.done("group", "list", "--format", "yaml"))
        value = await self.done("group", "list", "-f", "value", "-c", "id", "-c", "active")
        heading, row = (await self.done("group", "list")).splitlines()
        whole = simplejson.loads(await self.done("group", "show", "web", "-f", "json"))

        self.assertEqual((group, 2), (shown["id"], shown["state"]["activeCapacity"]))
        self.assertEqual(shown, same)
        self.assertEqual(f"{group}\t2\n", value)
        self.assertTrue(heading.startswith("ID "), heading)
        self.assertEqual([group, "web", "ACTIVE", "2", "2", "0", "false"], row.split())
        self.assertEqual(2, whole["groupConfiguration"]["minEntities"])

    def test_webhook(self) -> Deferred[None]:
        """A webhook's URL alone runs the policy, and nothing but its owner's command shows it."""
        return Deferred.fromCoroutine(self._webhook())

    async def _webhook(self) -> None:
        group = (await self.create()).out.strip()
        await self.done("policy", "create", group, "p", "--desired", "1", "--cooldown", "0.5")
        create = ("webhook", "create", group, "p", "pager", "-f", "value", "-c", "url")
        url = (await self.done(*create)).strip()
        traced = await self.otter("execute", url, "--debug", variables={})
        shown = await self.otter("webhook", "show", group, "p", "pager", "--debug")

        self.assertEqual((0, ""), (traced.status, traced.out), traced)
        self.assertNotIn("X-Auth-Token", traced.err)
        self.assertIn("X-Auth-Token: ***", shown.err)
        self.assertIn(url, shown.out)
        self.assertEqual([], re.findall(r"[0-9a-f]{64}", traced.err + shown.err))

        await self.tenant.settled(group, 1)
        history = await self.done("activity", "list", group, "-f", "value", "-c", "kind")
        self.assertIn("policy.executed\n", history)


class TroubleTests(CliTestCase):
    """How commands end that do not succeed."""

    def test_group_in_error(self) -> Deferred[None]:
        """A group that cannot work is told apart from one that is slow; Ctrl-C ends a wait."""
        return Deferred.fromCoroutine(self._group_in_error())

    async def _group_in_error(self) -> None:
        created = await self.create("--min", "1", "--load-balancer", "999999:80", "--wait")
        group = created.out.strip()
        self.assertEqual(6, created.status, created)
        self.assertRegex(created.err, r"otter: ERROR: [^\n]*Balancer")

        converge = ("group", "converge", group, "--wait")
        late = await self.otter(*converge, "--timeout", "1")
        self.assertEqual(6, late.status, late)
        self.assertIn("gave up waiting after 1 s", late.err)

        environment = [f"HOME={self.folder}", "OS_CLOUD=mini"]
        script = [sys.executable, str(SCRIPT), *converge]
        clouds = f"OS_CLIENT_CONFIG_FILE={self.folder / 'clouds.yaml'}"
        waiting = RunningService(
            reactor, "otter", ["env", *environment, clouds, *script], self.folder / "log"
        )
        self.addCleanup(waiting.end_at_once)
        await self.tenant.wait("the wait", lambda: self._says(waiting, "ERROR"))
        os.kill(waiting.pid, signal.SIGINT)
        await waiting.wait_for_end()

        self.assertEqual(130, waiting.status, waiting.tail())
        self.assertNotIn("Traceback", waiting.tail())

    async def _says(self, service: RunningService, text: str) -> bool:
        return text in service.tail()

    def test_statuses(self) -> Deferred[None]:
        """Each kind of failure has its own status, one line on standard error, and no output."""
        return Deferred.fromCoroutine(self._statuses())

    async def _statuses(self) -> None:
        wrong = {**self.variables, "OS_PASSWORD": "wrong"}
        nobody = {**self.variables, "OTTER_ENDPOINT": f"http://127.0.0.1:{free_port()}"}
        unknown = "51d2c7be-5b7b-4d53-8b0a-3c1d6f9f7a10"
        rows: tuple[tuple[int, tuple[str, ...], dict[str, str] | None], ...] = (
            (1, ("group", "create", "x", "--flavor", "nonsense", "--image", "nonsense"), None),
            (2, ("group", "list", "--column", "nonsense"), None),
            (2, ("group", "list"), {}),
            (2, ("group", "list", "--os-cloud", "nonsense"), None),
            (3, ("group", "show", unknown), None),
            (3, ("group", "show", "nonsense"), None),
            (4, ("group", "list"), wrong),
            (5, ("group", "list"), nobody),
        )
        for status, arguments, variables in rows:
            ended = await self.otter(*arguments, variables=variables)
            self.assertEqual((status, ""), (ended.status, ended.out), f"{arguments}: {ended}")
            self.assertRegex(ended.err, r"^otter: [^\n]+\n$")

    def test_observer(self) -> Deferred[None]:
        """Somebody who may only look can look, and is told that they may not more."""
        return Deferred.fromCoroutine(self._only_look())

    async def _only_look(self) -> None:
        observer = await world.make_tenant(self.tenant.stack, roles=("observer",))
        self.write_clouds(observer)
        listed = await self.done("group", "list", "-f", "json")
        ended = await self.otter("group", "create", "x", "--flavor", "1", "--image", "i")

        self.assertEqual([], simplejson.loads(listed))
        self.assertEqual((4, ""), (ended.status, ended.out))
        self.assertIn("otter: Forbidden", ended.err)


class CredentialsTests(CliTestCase):
    """Every way of saying who one is."""

    def test_ways(self) -> Deferred[None]:
        """Variables for both versions of identity, and a token with or without a project."""
        return Deferred.fromCoroutine(self._ways())

    async def _ways(self) -> None:
        group = await self.tenant.create_group()
        credentials = self.tenant.stack.cloud.credentials
        token = {"OS_TOKEN": await self.tenant.new_token()}
        v2 = {**self.variables, "OS_AUTH_URL": credentials["auth_url_v2"]}
        del v2["OS_USER_DOMAIN_NAME"]
        ways: tuple[tuple[Any, tuple[str, ...]], ...] = (
            (self.variables, ()),
            (v2, ()),
            (token, ("--endpoint", f"{self.endpoint}/v1.0/{self.tenant.project}/")),
            (token, ("--endpoint", self.endpoint, "--os-project-id", self.tenant.project)),
        )
        for variables, options in ways:
            listed = ("group", "list", "-f", "value", "-c", "id")
            self.assertEqual(f"{group}\n", await self.done(*listed, *options, variables=variables))

        elsewhere = ("--endpoint", f"{self.endpoint}/v1.0/another")
        ended = await self.otter("group", "list", *elsewhere, variables=token)
        self.assertEqual(4, ended.status, ended)
        limits = await self.done("limits", "-f", "value", variables=self.variables)
        self.assertIn("maxGroups\t1000\t", limits)
