"""How Sphinx builds this documentation: nothing beyond Sphinx, nothing from the network."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tools import api_reference, config_reference

HERE = Path(__file__).parent
(HERE / "configuration.rst").write_text(config_reference.reference(), encoding="utf-8")
(HERE / "api-reference.rst").write_text(api_reference.reference(), encoding="utf-8")

project = "Otter"
author = "The Otter authors"
copyright = "The Otter authors"
release = version_of("otter")
version = release

extensions: list[str] = []
exclude_patterns = ["_build"]
nitpicky = True

html_theme = "alabaster"
html_theme_options = {
    "description": "The right number of healthy servers on OpenStack-style clouds",
    "fixed_sidebar": True,
}
html_show_sphinx = False
