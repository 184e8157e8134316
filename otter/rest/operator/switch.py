"""The place of the kill switch, which stops all scaling: it is known, and not built yet."""

from attrs import frozen

from otter.rest.answers import Answer, json_answer
from otter.rest.calls import Call, Route

PATH = "/kill-switch"


@frozen
class KillSwitch:
    """Refuses, so that nobody takes silence for a switch that was thrown."""

    def routes(self) -> tuple[Route, ...]:
        """Return what is answered here."""
        return (Route("GET", PATH, self.refuse), Route("PUT", PATH, self.refuse))

    async def refuse(self, call: Call) -> Answer:
        """Answer that nothing was stopped."""
        error = {
            "type": "NotImplementedError",
            "code": 501,
            "message": "the kill switch comes with a later issue; nothing was stopped. "
            "Suspending a tenant stops its groups.",
            "details": "",
        }
        return json_answer(501, {"error": error})
