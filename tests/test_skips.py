"""The line about skipped tests: each reason with its remedy, the most frequent first."""

import pytest

from skips import REMEDIES, in_a_line


def test_nothing_skipped_is_no_line():
    assert in_a_line([]) == ""


def test_reasons_are_counted_by_what_is_to_be_done():
    reasons = [
        "Skipped: the extra `export` is not installed",
        *3 * ["Skipped: INNEREAR_SHARED is not set: the folder that holds the reference data pack"],
        *2 * ["Skipped: no weights: yamnet/yamnet.tflite is not here; `innerear weights pull yamnet` fetches it"],
    ]
    assert in_a_line(reasons) == (
        "6 skipped: 3 need the data pack (INNEREAR_SHARED=FOLDER), 2 need weights (`innerear weights pull`, or "
        "INNEREAR_MODELS=FOLDER), 1 need Python packages (`make test-all`, `make parity`, `make faces` install them)"
    )


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("INNEREAR_WHISPER names no folder with whisper-tiny.en and silero_vad.onnx", "weights"),
        ("could not import 'pyroomacoustics': No module named 'pyroomacoustics'", "packages"),
        ("YAMNet's runtime is not here", "packages"),
        ("only root can become an ordinary user", "another user"),
        ("no Chromium on this machine: apt-get install chromium", "programs"),
        ("espeak-ng is not installed", "programs"),
        ("all tests skipped by +SKIP option", "examples"),
        ("it rains", "other reasons"),
    ],
)
def test_each_kind_of_reason_has_its_remedy(reason, word):
    assert word in in_a_line([reason])
    assert len(REMEDIES) == len({remedy for _, remedy in REMEDIES})
