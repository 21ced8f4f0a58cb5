"""The error tree: infrastructure failures and usage errors, never what a model got wrong.

    InnerEarError
    ├── UsageError          unusable input from the caller: one line, exit code 2
    │   ├── SuiteError      a suite file with a bad line
    │   └── AudioError      a file or an array that is not usable audio
    ├── DiskFull            a disk is full: free some space and resume
    ├── ModelError          a model gave no answer after all retries
    ├── RecordingMismatch   a recording was made with messages that differ from those sent now
    ├── HubError            the Hugging Face hub refused or could not be reached
    ├── WeightsUnavailable  weights are missing and could not be downloaded
    ├── JailUnavailable     this machine cannot isolate a program
    ├── JailFailure         the jail itself failed on a program, twice
    └── ClusterUnavailable  no cluster answers, or all of its nodes are gone

Model failures (no program, a crash, silence) are data: an `Outcome` in a row.
"""

from __future__ import annotations


class InnerEarError(Exception):
    """Base class of all errors that this package raises deliberately."""


class UsageError(InnerEarError, ValueError):
    """Unusable input from the caller; the message says what was given and what was wanted."""


class SuiteError(UsageError):
    """A line of a suite file is not a probe."""


class AudioError(UsageError):
    """A file or an array is not usable audio."""


class DiskFull(InnerEarError):
    """The disk is full; finished work is kept."""


class ModelError(InnerEarError):
    """A model gave no answer: wrong key, unknown model, or server down for too long."""


class RecordingMismatch(InnerEarError):
    """A recording was made with messages that differ from those sent now."""


class HubError(InnerEarError):
    """The Hugging Face hub refused or could not be reached."""


class WeightsUnavailable(InnerEarError):
    """Model weights are not in the cache and could not be downloaded."""


class JailUnavailable(InnerEarError):
    """This machine cannot isolate a program in the requested way.

    `missing` names the missing feature, `fix` says what to do about it.
    """

    def __init__(self, missing: str, fix: str) -> None:
        self.missing = missing
        self.fix = fix
        super().__init__(f"cannot isolate programs here: {missing}. {fix}")

    def __reduce__(self) -> tuple[type[JailUnavailable], tuple[str, str]]:
        return type(self), (self.missing, self.fix)


class JailFailure(InnerEarError):
    """The jail failed on a program twice, the second time in a new jail: never a model failure, never a score."""


class ClusterUnavailable(InnerEarError):
    """No cluster answers at an address, or all of its nodes are gone."""
