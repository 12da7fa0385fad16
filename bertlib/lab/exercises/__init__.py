"""All exercises, one module a topic; ``lab.check`` looks them up by name.

A new chapter adds one module with a tuple called ``EXERCISES``; it is found by itself. Modules without
that tuple are helpers.
"""

from importlib import import_module
from pkgutil import iter_modules

from bertlib.lab.exercise import Exercise

MODULES = tuple(import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
EXERCISES: dict[str, Exercise] = {
    item.name: item for module in MODULES for item in getattr(module, "EXERCISES", ())
}

__all__ = ["EXERCISES"]
