"""Keys for signing messages to owners."""

import base64

from twisted.trial.unittest import SynchronousTestCase

from otter.models.ids import GroupId
from otter.models.signing import notify_key
from tests.controller.world import GROUP


class NotifyKeyTests(SynchronousTestCase):
    """One key per group."""

    def test_stable(self) -> None:
        """The key is the same wherever and whenever it is asked for: receivers keep it."""
        key = notify_key("secret", GROUP)

        self.assertEqual(key, "whsec_iODL1aqkGRgbrkPhRIxj9W8RaQakZLVrLp9hZMTYJHs=")

    def test_form(self) -> None:
        """The key is 256 bits in the spelling that webhook libraries take."""
        prefix, text = notify_key("secret", GROUP).split("_")

        self.assertEqual((prefix, len(base64.b64decode(text, validate=True))), ("whsec", 32))

    def test_distinct(self) -> None:
        """Another group, or another deployment, has another key."""
        keys = {
            notify_key(secret, group_id)
            for secret in ("secret", "other")
            for group_id in (GROUP, GroupId("g"))
        }

        self.assertEqual(len(keys), 4)
