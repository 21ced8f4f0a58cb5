"""Doctests of modules that need an extra are left out where it is not installed; their tests skip with a reason."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("inspect_ai") else ["src/innerear/inspect_face/*"]
