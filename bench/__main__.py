"""``python -m bench``: run every bench and print its ratios."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from bench.place import Place, machine
from bench.webhooks import reaction, throughput


async def run(reactor: Any) -> None:
    """Run all benches against one place."""
    print(machine())
    with tempfile.TemporaryDirectory(prefix="otter-bench-") as folder:
        place = Place(reactor, Path(folder))
        try:
            await place.start_cloud()
            for bench in (throughput, reaction):
                print(await bench(place))
                sys.stdout.flush()
        finally:
            await place.stop()


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(run(reactor)))
