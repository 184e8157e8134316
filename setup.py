"""
Say what is installed: packages, the files of ``schema/``, twistd plugins, the ``otter`` command.

Ranges are given here; ``constraints.txt`` names the exact versions that our own commands use.
"""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# The plugins are installed module by module into Twisted's own ``twisted.plugins``. Naming the
# package instead would claim a folder, and an ``__init__.py``, that belong to Twisted.
PLUGINS = sorted(
    f"twisted.plugins.{path.stem}" for path in (HERE / "twisted" / "plugins").glob("*_plugin.py")
)

setup(
    name="otter",
    version="0.1.0",
    description="Keeps the right number of healthy servers running on OpenStack-style clouds",
    long_description="Autoscaling for OpenStack-style clouds, with a cloud in a box to try it on.",
    author="The Otter authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    # Spelled out so that an editable install puts this folder itself on the path, which is
    # what lets twistd find the plugins in it.
    package_dir={"": "."},
    packages=find_packages(include=["otter*", "minicloud*", "schema*"]),
    package_data={"schema": ["**/*.json", "**/*.sql"]},
    py_modules=PLUGINS,
    zip_safe=False,
    entry_points={"console_scripts": ["otter = otter.cli.main:main"]},
    install_requires=[
        "attrs>=26.1,<27",
        "cattrs>=26.2,<27",
        "jsonschema>=4.26,<5",
        "keystoneauth1>=5.18,<6",
        "klein>=24.8,<25",
        "openstacksdk>=4.22,<5",  # credentials of the otter command, as clouds.yaml has them
        "prometheus_client>=0.26,<0.27",
        "pyrsistent>=0.20,<0.21",
        "pyyaml>=6.0.3,<7",
        "requests>=2.34,<3",
        "simplejson>=4.3,<5",
        "treq>=26.7,<27",
        "twisted[tls]>=26.10,<27",  # 26.10 carries security fixes
        "werkzeug>=3.1,<4",
        "zope.interface>=8.7,<9",
    ],
    extras_require={
        "cluster": [
            "cassandra-driver>=3.30.1,<3.31",  # 3.31 drops the Twisted reactor
            "txamqp>=0.8.2,<0.9",
        ],
        "dev": [
            "build>=1.6,<2",
            "hypothesis>=6.170,<7",
            "mypy>=2.4,<3",
            "mypy-zope>=1.0.17,<2",
            "openapi-spec-validator>=0.9,<0.10",
            "ruff>=0.17.5,<0.18",
            "schemathesis>=4.32,<5",
            "sphinx>=9.0,<10",
            "towncrier>=26.9,<27",
            "types-jsonschema>=4.26,<5",
            "types-pyyaml>=6.0.12,<7",
            "types-requests>=2.33,<3",
            "types-simplejson>=4.2,<5",
        ],
    },
)
