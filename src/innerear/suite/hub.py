"""Read a suite from the Hugging Face hub, or any server with its API (HF_ENDPOINT)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from innerear.errors import HubError, UsageError
from innerear.suite.reading import Suite, read

PROBES = "probes.jsonl"
ADDRESS = re.compile(r"hf:/{1,2}datasets/(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^/]+))?(?:/(?P<file>.+))?")


def fetch_suite(address: str) -> Suite:
    """Load the suite at `hf://datasets/OWNER/NAME[@REVISION][/FILE.jsonl]`.

    The commit is part of the suite's name, so that a run records it.

    Raises:
        UsageError: not such an address, or no suite there. HubError: the hub could not be reached.
    """
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise UsageError(
            f"the suite {address!r} is not a hub address; wanted hf://datasets/OWNER/NAME[@REVISION][/FILE.jsonl]"
        )
    hub, repo = _hub(), match["repo"]
    with _said(repo):
        info = hub.HfApi(endpoint=_endpoint()).dataset_info(repo, revision=match["revision"])
        file = hub.hf_hub_download(
            repo, match["file"] or PROBES, repo_type="dataset", revision=info.sha, endpoint=_endpoint()
        )
    return msgspec.structs.replace(read(Path(file)), name=f"{repo}@{info.sha[:12]}")


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


def _hub() -> Any:
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise UsageError("the hub needs a package: pip install 'innerear[hub]'") from error
    return huggingface_hub


@contextmanager
def _said(repo: str) -> Iterator[None]:
    """Turn the hub's errors into one-line errors of this package."""
    from huggingface_hub import errors

    try:
        yield
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        raise UsageError(
            f"{repo} is not on the hub, or is private and the token may not read it: {_line(error)}"
        ) from error
    except errors.HFValidationError as error:
        raise UsageError(f"{repo!r} is not a dataset name, wanted OWNER/NAME: {_line(error)}") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else None
        hint = "; log in with `hf auth login`, or set HF_TOKEN" if status in (401, 403) else ""
        raise HubError(f"the hub refuses {repo}: {_line(error)}{hint}") from error
    except (OSError, errors.LocalEntryNotFoundError) as error:
        raise HubError(f"the hub was not reached for {repo}: {_line(error)}") from error
    except Exception as error:
        if type(error).__module__.startswith(("httpx", "httpcore", "requests")):
            raise HubError(f"the hub was not reached for {repo}: {_line(error)}") from error
        raise


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
