"""Make ``twistd minicloud`` known."""

from twisted.application.service import ServiceMaker

minicloud = ServiceMaker(
    "minicloud",
    "minicloud.tap",
    "A real little OpenStack-style cloud on one machine",
    "minicloud",
)
