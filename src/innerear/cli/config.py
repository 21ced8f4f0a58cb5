"""Options of a command in a file: `--config run.yaml`, and `--save-config run.yaml`, which writes it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from innerear.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])
NOT_SAVED = ("config", "save_config", "dry_run")


def config_options(command: F) -> F:
    """The options `--config`, which gives defaults to all others, and `--save-config`."""
    file = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--save-config", type=file, metavar="FILE", help="Also write all options to FILE, in YAML."),
        click.option(
            "--config",
            type=file,
            is_eager=True,
            expose_value=False,
            callback=_read,
            metavar="FILE",
            help="Take options from FILE (YAML), by their long names; those of the command line come first.",
        ),
    ):
        command = option(command)
    return command


def name_of(option: click.Parameter) -> str:
    """The long name of an option, as in a file.

    >>> name_of(click.Option(["--max-cost", "cost"]))
    'max-cost'
    """
    return max(option.opts, key=len).lstrip("-")


def _read(ctx: click.Context, param: click.Parameter, file: Path | None) -> None:
    if file is None:
        return
    import yaml

    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {file} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"--config {file} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise UsageError(f"--config {file} has no options; wanted lines such as `model: [recorded/one-shot]`")
    options = {name_of(option): option for option in ctx.command.params if option.name not in NOT_SAVED}
    given: dict[str, Any] = {}
    for key, value in content.items():
        name = str(key).replace("_", "-")
        if name not in options:
            near = difflib.get_close_matches(name, options, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(options))}"
            raise UsageError(f"--config {file}: no option {key!r} of `innerear {ctx.info_name}`{hint}")
        if value is not None:
            given[str(options[name].name)] = _value(options[name], value, f"--config {file}: {key}")
    ctx.default_map = {**(ctx.default_map or {}), **given}


def _value(option: click.Parameter, value: Any, where: str) -> Any:
    """The value as click takes it: a list for a repeatable option, of NAME=VALUE for a mapping."""
    if isinstance(value, dict) and option.name == "parameters":
        return [f"{name}={json.dumps(each)}" for name, each in value.items()]
    values = value if isinstance(value, list) else [value]
    if any(isinstance(each, dict | list) for each in values) or (len(values) != 1 and not option.multiple):
        wanted = "one value or a list of them" if option.multiple else "one value"
        raise UsageError(f"{where} is {value!r}; wanted {wanted}")
    is_flag = bool(getattr(option, "is_flag", False))
    if any(isinstance(each, bool) != is_flag for each in values):
        raise UsageError(f"{where} is {value!r}; wanted {'true or false' if is_flag else 'a value'}")
    texts = values if is_flag else [str(each) for each in values]  # as the command line gives them
    return texts if option.multiple else texts[0]


def save_config(ctx: click.Context, file: Path) -> None:
    """Write the options of a command to a file: those that were given, and the defaults of the others."""
    import yaml

    from innerear import plugins

    values: dict[str, Any] = {"plugin": plugins.used()} if plugins.used() else {}
    for option in ctx.command.params:
        value = ctx.params.get(str(option.name))
        if option.name not in NOT_SAVED and value is not None and value != ():
            values[name_of(option)] = (
                list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
            )
    head = f"# innerear {ctx.info_name} --config {file.name}\n"
    try:
        file.write_text(head + yaml.safe_dump(values, sort_keys=False, allow_unicode=True), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--save-config {file} cannot be written: {error.strerror}") from error
