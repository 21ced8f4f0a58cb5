"""Doctests of modules that need an extra are left out where it is not installed; their tests skip with a reason."""

from importlib.util import find_spec

NEEDS = {"src/innerear/inspect/*": "inspect_ai", "src/innerear/lab/swin.py": "torch"}
collect_ignore_glob = [modules for modules, extra in NEEDS.items() if not find_spec(extra)]
