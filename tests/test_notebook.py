"""The notebook of the docs runs from top to bottom, and shows what it says."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"


def test_the_notebook_is_stored_without_outputs():
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        assert not cell.get("outputs")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the kernel's packages
def test_the_notebook_runs_and_shows_bars_a_player_and_tables(tmp_path, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        "".join(
            str(output.get("data", {}).get("text/html", "")) + str(output.get("text", "")) for output in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    probe, asking, sound, scores, frame, distance = shown
    assert "a plain sine wave tone at 440 Hz" in probe
    assert '<progress value="8" max="8">' in asking
    assert "8 of 8" in asking
    assert '<audio controls src="data:audio/flac;base64,' in sound
    assert "import numpy" in sound
    assert "recorded/one-shot" in scores
    assert "right_length" in frame
    assert "kad" in distance
    assert "95 % interval" in distance
