"""The image of the container tiers: `innerear jail build-image`."""

from __future__ import annotations

import shutil

import click


@click.group()
def jail() -> None:
    """Prepare the containers that programs run in."""


@jail.command("build-image")
@click.option("--engine", type=click.Choice(["docker", "podman"]), help="Default: the first one installed.")
@click.option(
    "--base",
    metavar="IMAGE",
    help="An image with Python 3.11 or later and glibc; by default Docker's official image of this Python. "
    "`host` copies this machine's interpreter instead and needs no registry (Linux only).",
)
@click.option("--tag", default="innerear-jail", show_default=True, help="Name of the image.")
def build_image(engine: str | None, base: str | None, tag: str) -> None:
    """Build the image for `--jail docker` and `--jail podman`, and test it.

    The image has NumPy, SciPy and msgspec in the versions installed here, and this version of
    InnerEar. At the end, the self-test runs in it.
    """
    from innerear.errors import UsageError
    from innerear.jail import container, image

    engine = engine or next(filter(shutil.which, ("docker", "podman")), None)
    if engine is None:
        raise UsageError("neither docker nor podman is installed")
    inside = image.build(engine, base or image.default_base(), tag, lambda line: click.echo(f"{line} …", err=True))
    names = ("python", "numpy", "scipy", "machine")
    click.echo(f"{tag} withstands the self-test: " + ", ".join(f"{name} {inside[name]}" for name in names))
    if tag != container.DEFAULT_IMAGE:
        click.echo(f"to use it, set {container.IMAGE}={tag}")
