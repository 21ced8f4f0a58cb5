"""The error tree: what went wrong on our side or the user's, never what a model got wrong.

    InnerEarError
    ├── UsageError          the caller gave something that cannot be used: one line, exit code 2
    │   ├── SuiteError      a suite file with a bad line
    │   └── AudioError      a file or an array that is no usable audio
    ├── DiskFull            there is no room left on a disk: make some, and go on
    ├── ModelError          a model could not be asked, after all retries
    ├── RecordingMismatch   a recording was made with other messages than the suite sends today
    ├── HubError            the Hugging Face hub refused, or was not reached
    ├── WeightsUnavailable  weights are not here and could not be fetched
    ├── JailUnavailable     this machine cannot isolate a program
    ├── JailFailure         the jail itself failed on a program, twice
    └── ClusterUnavailable  no cluster answers, or none of its nodes is left

What a *model* got wrong (no program, a crash, silence) is data, an `Outcome` in a row.
"""

from __future__ import annotations


class InnerEarError(Exception):
    """The base of all errors that this package raises on purpose."""


class UsageError(InnerEarError, ValueError):
    """Something the caller gave cannot be used; the message says what was got and wanted."""


class SuiteError(UsageError):
    """A line of a suite file is not a probe."""


class AudioError(UsageError):
    """A file or an array is no usable audio."""


class DiskFull(InnerEarError):
    """There is no room left where something is to be written; what was finished stays."""


class ModelError(InnerEarError):
    """A model could not be asked: wrong key, unknown model, server gone for too long."""


class RecordingMismatch(InnerEarError):
    """A recording was made with other messages than the suite would send today."""


class HubError(InnerEarError):
    """The Hugging Face hub refused, or was not reached."""


class WeightsUnavailable(InnerEarError):
    """The weights of an embedder are not in the cache and could not be fetched."""


class JailUnavailable(InnerEarError):
    """This machine cannot isolate a program in the way asked for.

    `missing` names the feature, `fix` says what to do about it.
    """

    def __init__(self, missing: str, fix: str) -> None:
        self.missing = missing
        self.fix = fix
        super().__init__(f"cannot isolate programs here: {missing}. {fix}")

    def __reduce__(self) -> tuple[type[JailUnavailable], tuple[str, str]]:
        return type(self), (self.missing, self.fix)


class JailFailure(InnerEarError):
    """The jail failed on a program, also in a fresh one: never the model's fault, never a score."""


class ClusterUnavailable(InnerEarError):
    """There is no cluster at an address, or none of its nodes is left."""
