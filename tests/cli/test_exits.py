"""Exit statuses follow what the service says."""

from twisted.trial.unittest import SynchronousTestCase

from otter.cli.exits import CommandError, Exit, error_for

ROWS = (
    (400, "ValidationError", Exit.REFUSED),
    (401, "InvalidCredentials", Exit.NOT_ALLOWED),
    (401, "", Exit.NOT_ALLOWED),
    (403, "Forbidden", Exit.NOT_ALLOWED),
    (403, "", Exit.NOT_ALLOWED),
    (403, "CannotExecutePolicyError", Exit.REFUSED),
    (403, "TenantSuspendedError", Exit.REFUSED),
    (404, "NoSuchScalingGroupError", Exit.NOT_FOUND),
    (404, "", Exit.NOT_FOUND),
    (413, "RateLimitError", Exit.REFUSED),
    (422, "PoliciesOverLimitError", Exit.REFUSED),
    (500, "InternalError", Exit.UNAVAILABLE),
    (501, "NotImplementedError", Exit.UNAVAILABLE),
    (503, "ServiceUnavailable", Exit.UNAVAILABLE),
    (302, "", Exit.UNAVAILABLE),
)


class ErrorForTests(SynchronousTestCase):
    """The table of ``docs/cli.rst``."""

    def test_rows(self) -> None:
        """A script can tell a wrong password from a cooldown, though both are 403."""
        found = [(status, kind, error_for(status, kind).status) for status, kind, _ in ROWS]

        self.assertEqual(list(ROWS), found)

    def test_numbers(self) -> None:
        """The numbers themselves are a promise."""
        self.assertEqual(
            {
                "DONE": 0,
                "REFUSED": 1,
                "USAGE": 2,
                "NOT_FOUND": 3,
                "NOT_ALLOWED": 4,
                "UNAVAILABLE": 5,
                "NOT_REACHED": 6,
                "INTERRUPTED": 130,
                "PIPE_CLOSED": 141,
            },
            {known.name: known.value for known in Exit},
        )

    def test_every_error_has_its_own_status(self) -> None:
        """Two errors with one status could as well be one error."""
        statuses = [kind.status for kind in CommandError.__subclasses__()]

        self.assertEqual(sorted(set(statuses)), sorted(statuses))
