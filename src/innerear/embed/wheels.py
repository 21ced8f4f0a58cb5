"""Wheels from the package index that this machine uses: found, fetched and checked, never installed.

By `pip download` where this Python has pip, so that its configuration holds: mirrors, proxies,
certificates, passwords. Else by the index's simple API (PEP 503, PEP 691), with the addresses that
uv's and pip's variables and configuration files name. The SHA-256 of each wheel is in `wheels.csv`.
"""

from __future__ import annotations

import base64
import configparser
import csv
import functools
import hashlib
import html.parser
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from innerear.download import Manner, fetch_file, get

PYPI = "https://pypi.org/simple"
PAGE_BYTES = 32 << 20  # the most that an index's page of one project may have
ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
RAW_PROGRESS = (24, 1)  # the first pip that reports its progress in bytes

Bytes = Callable[[int, int], None]
"""Called with the bytes so far, and the bytes in all."""


@dataclass(frozen=True)
class Wheel:
    """One row of `wheels.csv`: a wheel for any platform, and its SHA-256."""

    name: str
    version: str
    bytes: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@functools.cache
def wheels() -> dict[str, Wheel]:
    """The table, by the name of the package."""
    table = resources.files(__package__).joinpath("wheels.csv").read_text()
    rows = csv.DictReader(table.splitlines())
    return {row["name"]: Wheel(row["name"], row["version"], int(row["bytes"]), row["sha256"]) for row in rows}


def fetch_wheel(wheel: Wheel, folder: Path, progress: Bytes | None = None) -> Path:
    """Bring a wheel from the index into a folder; nothing is installed, and nothing in it runs.

    Raises:
        OSError: the index cannot be reached, does not have it, or has another file of that name.
    """
    by_pip = has_pip()
    try:
        path = _by_pip(wheel, folder, progress) if by_pip else _by_simple_api(wheel, folder, progress)
    except OSError:
        if not by_pip or not _of_uv():  # an environment may have pip, and its user's index be uv's
            raise
        path = _by_simple_api(wheel, folder, progress)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wheel.sha256:
        path.unlink()
        raise OSError(f"the index's {wheel} has sha256 {found[:12]}…, wanted {wheel.sha256[:12]}…")
    return path


def has_pip() -> bool:
    """Whether this Python has pip."""
    return importlib.util.find_spec("pip") is not None


def _by_pip(wheel: Wheel, folder: Path, progress: Bytes | None) -> Path:
    """By pip, with its user's configuration, and with the hash that it must have."""
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    known = tuple(int(part) for part in importlib.metadata.version("pip").split(".")[:2])
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--require-hashes",
        "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--dest", str(folder), "-r", str(requirements),
        "--progress-bar", "raw" if known >= RAW_PROGRESS else "off",
    ]  # fmt: skip
    environment = {"PIP_RETRIES": "1", **os.environ}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment, text=True,
            encoding="utf-8", errors="replace",
        ) as pip,
    ):  # fmt: skip
        try:
            assert pip.stdout
            for line in pip.stdout:
                if progress and (step := re.match(r"Progress (\d+) of (\d+)", line)):
                    progress(int(step[1]), int(step[2]))
        except BaseException:
            pip.kill()
            raise
        failed = pip.wait() != 0
        said.seek(0)
        words = said.read()
    found = sorted(folder.glob("*.whl"))
    if failed or not found:
        raise OSError(f"pip download {wheel.name}=={wheel.version}: {_why(words)}")
    return found[0]


def _why(words: str) -> str:
    """What pip's messages come to, in one line."""
    if "DO NOT MATCH THE HASHES" in words:
        return "the index has a file of another sha256"
    lines = [line.split("ERROR: ", 1)[1] for line in words.splitlines() if "ERROR: " in line]
    line = (lines or words.strip().splitlines()[-1:] or ["it failed without a word"])[0][:200]
    return f"the index cannot be reached ({line})" if "onnection broken" in words else line


def _by_simple_api(wheel: Wheel, folder: Path, progress: Bytes | None) -> Path:
    """By the addresses that uv's and pip's configuration name, the first that has it."""
    complaints = []
    for index in indexes():
        try:
            url = _find(wheel, index)
            path = folder / f"{wheel.name}.whl"
            address, manner = _asked(url)
            fetch_file(address, path, progress, manner)
        except OSError as error:
            complaints.append(f"{_shown(index)}: {error}")
        else:
            return path
    raise OSError("; ".join(complaints) or "no index is configured")


def _find(wheel: Wheel, index: str) -> str:
    """The address of a wheel in an index: the file of its hash, or where the page has no hashes, of its name.

    Raises:
        OSError: the index does not answer, or does not have it.
    """
    page_url = f"{index.rstrip('/')}/{wheel.name}/"
    if page_url.startswith("file:"):
        page_url += "index.html"
    address, manner = _asked(page_url)
    page = get(address, PAGE_BYTES, manner=manner)
    named = re.compile(rf"{wheel.name.replace('-', '[-_.]')}-{re.escape(wheel.version)}-.*\.whl", re.IGNORECASE)
    unhashed = ""
    for url, sha256 in _files(page):
        if sha256 == wheel.sha256:
            return urllib.parse.urljoin(page_url, url)
        if not sha256 and named.fullmatch(urllib.parse.unquote(url.rsplit("/", 1)[-1])):
            unhashed = url
    if not unhashed:
        raise OSError(f"it has no {wheel} with sha256 {wheel.sha256[:12]}…")
    return urllib.parse.urljoin(page_url, unhashed)


def _files(page: bytes) -> Iterator[tuple[str, str]]:
    """The address and the SHA-256 (or an empty word) of each file on a project's page, JSON or HTML."""
    if page.lstrip().startswith(b"{"):
        try:
            for file in msgspec.json.decode(page)["files"]:
                yield str(file["url"]), str(file.get("hashes", {}).get("sha256", ""))
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            raise OSError(f"its page cannot be read ({error})") from error
        return
    links = _Links()
    links.feed(page.decode("utf-8", "replace"))
    for link in links.found:
        url, _, fragment = link.partition("#")
        yield url, fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""


class _Links(html.parser.HTMLParser):
    """The addresses that a page links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of a link."""
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def indexes() -> list[str]:
    """The addresses of the indexes, as uv's and pip's variables and files name them: the main one, then others."""
    configured = {**_pip_conf(), **_uv_toml()}
    first = [os.environ.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")]
    main = next(filter(None, [*first, configured.get("index-url")]), PYPI)
    more = [os.environ.get(name, "") for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")]
    found = [main, *" ".join([*more, configured.get("extra-index-url", "")]).split()]
    if (os.environ.get("PIP_NO_INDEX") or os.environ.get("UV_NO_INDEX")) in ("1", "true", "yes", "on"):
        return []
    return list(dict.fromkeys(_address(index) for index in found))


def _address(index: str) -> str:
    """The address of an index that may have a name before it, as uv's may: NAME=ADDRESS."""
    name, named, address = index.partition("=")
    return address if named and re.fullmatch(r"[\w.-]+", name) else index


def _of_uv() -> bool:
    """Whether uv's own variables or files name an index."""
    return bool(_uv_toml()) or any(
        os.environ.get(name) for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
    )


def _pip_conf() -> dict[str, str]:
    """What pip's configuration files say of indexes and certificates; the last file that says it wins."""
    home = Path.home()
    files = [
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        Path(sys.prefix) / "pip.conf",
    ]
    if named := os.environ.get("PIP_CONFIG_FILE"):
        files = [*files, Path(named)] if named != os.devnull else []
    found: dict[str, str] = {}
    for path in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "download"):
            for name in ("index-url", "extra-index-url", "cert"):
                if parser.has_option(section, name):
                    found[name] = parser.get(section, name)
    return found


def _uv_toml() -> dict[str, str]:
    """The indexes in uv's configuration files; the last file that sets one wins."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    named = os.environ.get("UV_CONFIG_FILE")
    found: dict[str, str] = {}
    for path in [Path("/etc/uv/uv.toml"), config, *([Path(named)] if named else [])]:
        try:
            settings: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        indexes = [index for index in settings.get("index", []) if isinstance(index, dict) and "url" in index]
        main = [index["url"] for index in indexes if index.get("default")] or [settings.get("index-url")]
        if main[0]:
            found["index-url"] = str(main[0])
        others = [
            *(index["url"] for index in indexes if not index.get("default")),
            *settings.get("extra-index-url", []),
        ]
        if others:
            found["extra-index-url"] = " ".join(map(str, others))
    return found


def _asked(url: str) -> tuple[str, Manner]:
    """An address without its password, and how to ask there: with that password, and the user's certificates."""
    headers = {"Accept": ACCEPT}
    parts = urllib.parse.urlsplit(url)
    if parts.username:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    cafile = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT") or _pip_conf().get("cert")
    return _shown(url), Manner(headers, cafile)


def _shown(url: str) -> str:
    """An address without its password."""
    parts = urllib.parse.urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
