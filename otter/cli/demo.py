"""``otter demo``: both programs on this machine, the story, and then time to look around."""

import tempfile
from pathlib import Path
from typing import Any, TextIO

from twisted.internet.defer import CancelledError, Deferred

from otter.cli.listener import Listener
from otter.cli.narrator import Narrator, WrongStepError
from otter.cli.story import Story
from otter.testing.client import UnexpectedAnswerError
from otter.testing.processes import (
    ProcessFailedError,
    RunningService,
    TimedOutError,
)
from otter.testing.stack import FAST, Minicloud, Otter, start_minicloud, start_otter

WRONG = (WrongStepError, UnexpectedAnswerError, TimedOutError, ProcessFailedError)

GUIDE = """
Both are still running until you press Ctrl-C.

  Otter's API     {base_url}/v1.0/{project}
  the cloud       {root}   (status page at /)
  credentials     {credentials}
  front door      {front}   (load balancer {balancer})
  logs            {directory}

Try, in another terminal:

  export OTTER={base_url}/v1.0/{project} FRONT={front}
  export TOKEN={token}
  export IMAGE={image} FLAVOR={flavor} BALANCER={balancer}

  curl -s -H "X-Auth-Token: $TOKEN" $OTTER/groups -d '{{
    "groupConfiguration": {{"name": "mine", "cooldown": 0, "minEntities": 1, "maxEntities": 5}},
    "launchConfiguration": {{"type": "launch_server", "args": {{
      "server": {{"name": "web", "imageRef": "'$IMAGE'", "flavorRef": "'$FLAVOR'"}},
      "loadBalancers": [{{"loadBalancerId": '$BALANCER', "port": 8000}}]}}}},
    "scalingPolicies": [{{"name": "up", "type": "webhook", "change": 1, "cooldown": 0}}]}}'
  curl -s -H "X-Auth-Token: $TOKEN" $OTTER/groups
  curl -s $FRONT
"""


def demo(reactor: Any, out: TextIO, story_only: bool) -> Deferred[None]:
    """
    Start everything, play the story, and stay unless ``story_only``.

    :raises SystemExit: a step of the story was wrong.
    """
    return Deferred.fromCoroutine(_demo(reactor, out, story_only=story_only))


async def _demo(reactor: Any, out: TextIO, *, story_only: bool) -> None:
    narrator = Narrator.begin(reactor, out)
    services: list[RunningService] = []
    listener = Listener()
    # Whatever ends us (Ctrl-C included) ends what we started.
    reactor.addSystemEventTrigger(
        "before",
        "shutdown",
        lambda: Deferred.fromCoroutine(_stop_all(services, listener)),
    )
    with tempfile.TemporaryDirectory(prefix="otter-demo-") as folder:
        try:
            await _play(reactor, narrator, services, listener, Path(folder), story_only=story_only)
        except WRONG as error:
            narrator.say(f"WRONG: {error}")
            for service in services:
                narrator.say(f"--- the end of {service.name}'s log ---\n{service.tail()}")
            raise SystemExit(1) from None
        except CancelledError:
            narrator.say("\nstopping")
        finally:
            await _stop_all(services, listener)


async def _play(
    reactor: Any,
    narrator: Narrator,
    services: list[RunningService],
    listener: Listener,
    directory: Path,
    *,
    story_only: bool,
) -> None:
    narrator.say("Otter demo: a cloud with real server processes, and Otter working on it.")
    listener.listen(reactor)
    cloud = await start_minicloud(reactor, directory / "minicloud", "--driver", "process")
    services.append(cloud.process)
    narrator.step("minicloud is up")
    otter = await start_otter(reactor, directory / "otter", cloud, FAST)
    services.append(otter.process)
    narrator.step(f"Otter is up at {otter.base_url}")
    story = await Story.open(cloud, otter, narrator, listener)
    await story.tell()
    narrator.say("The story ends well.")
    if not story_only:
        narrator.say(await _guide(cloud, otter, story))
        await Deferred()


async def _guide(cloud: Minicloud, otter: Otter, story: Story) -> str:
    image, flavor = await story.image_and_flavor()
    return GUIDE.format(
        base_url=otter.base_url,
        project=story.project,
        root=cloud.credentials["root"],
        credentials=cloud.directory / "credentials.json",
        front=story.front,
        balancer=story.balancer,
        directory=cloud.directory.parent,
        token=story.user_token,
        image=image,
        flavor=flavor,
    )


async def _stop_all(services: list[RunningService], listener: Listener) -> None:
    while services:
        await services.pop().stop()
    await listener.stop()
