"""Files of application credentials, for tests."""

from collections.abc import Mapping
from pathlib import Path

SECRET = "an-application-secret"


def write_credentials(path: str | Path, entries: Mapping[str, str]) -> None:
    """Write a TOML file of project ids and credential ids; each secret tells whose it is."""
    tables = (
        f'["{project}"]\nid = "{credential}"\nsecret = "{SECRET} of {credential}"\n'
        for project, credential in entries.items()
    )
    Path(path).write_text("\n".join(tables), encoding="utf-8")
