"""A small web application that behaves, and misbehaves, like the real platforms. `python -m demo.site --help`."""

from demo.site.app import Look
from demo.site.faults import KINDS, Fault
from demo.site.server import Site, running

__all__ = ["KINDS", "Fault", "Look", "Site", "running"]
