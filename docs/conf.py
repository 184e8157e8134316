"""How Sphinx builds this documentation: nothing beyond Sphinx, nothing from the network."""

from importlib.metadata import version as version_of

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
