"""Push and pull runs and suites as datasets on the Hugging Face hub, or any server with its API (HF_ENDPOINT).

A run is uploaded as the files that `pack` packs, so that the hub shows its tables and plays its
sounds, together with `README.md`, the card, and two tables for the hub's viewer:

    README.md               the card: run settings, scores with intervals, how to pull it
    scores.csv              every score
    audio/metadata.jsonl    the probe and model of each sound
    pack.json, run.json, probes.jsonl, completions.jsonl, audio/<digest>.flac …    see `sharing.pack`

A suite is `README.md`, `probes.jsonl` and `eval.yaml`. Downloads are untrusted and go through `unpack`.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from innerear import stages
from innerear.errors import UsageError
from innerear.records import Outcome
from innerear.run.parts import write_whole
from innerear.run.run import Run
from innerear.sharing.eval_results import CONFIG, SPLIT, eval_yaml
from innerear.sharing.formats import export
from innerear.sharing.pack import NAMES, NEEDED, STORED, pack, unpack
from innerear.sharing.scrub import Scrub
from innerear.stats import grouped
from innerear.suite import Suite, load
from innerear.suite.hub import PROBES, _endpoint, _hub, _said
from innerear.text import counted, printable

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
STALE = ["*.jsonl", "*.json", "*.csv", "audio/*", "embeddings/*", "eval.yaml"]  # of an earlier push
TAGS = ["innerear", "audio", "code-generation", "evaluation"]


def push_run(run: Run, repo: str, *, licence: str, private: bool = False, as_is: bool = False) -> str:
    """Push a run to a dataset on the hub, created if needed; return the URL of the commit.

    Raises:
        UsageError: see `pack`. HubError: the hub refused, or could not be reached.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "dataset")
        packed = Path(made, "run.zip")
        pack(run, packed, as_is)
        with zipfile.ZipFile(packed) as file:
            file.extractall(folder)
        packed.unlink()
        scrub = Scrub({str(run.folder.resolve()): "<run>"})  # a model's name may be a path
        sounds = [{name: _clean(value, scrub) for name, value in row.items()} for row in _sounds(run, folder)]
        write_whole(folder / "scores.csv", scrub.text(export([run.folder])).encode())
        write_whole(folder / "audio" / "metadata.jsonl", b"".join(msgspec.json.encode(row) + b"\n" for row in sounds))
        write_whole(folder / "README.md", scrub.text(run_card(run, repo, licence)).encode())
        return _upload(folder, repo, private, f"A run of InnerEar: {len(run.completions())} completions")


def push_suite(file: Path, repo: str, *, licence: str, private: bool = False) -> str:
    """Push a suite to a dataset on the hub; return the URL of the commit.

    Raises:
        SuiteError: the file is not a suite. HubError: the hub refused, or could not be reached.
    """
    suite = load(file)
    with tempfile.TemporaryDirectory() as made:
        write_whole(Path(made, PROBES), b"".join(suite.lines()))
        write_whole(Path(made, "README.md"), suite_card(suite, repo, licence).encode())
        write_whole(Path(made, "eval.yaml"), eval_yaml(suite, repo.partition("/")[2]))
        return _upload(Path(made), repo, private, f"A suite of InnerEar: {len(suite.probes)} probes")


def pull(repo: str, out: Path, revision: str | None = None) -> Run | Suite:
    """Pull a run into a new folder, or a suite into a new file.

    Raises:
        UsageError: `out` exists, or the dataset is neither. HubError: see `push_run`.
    """
    hub = _hub()
    with _said(repo):
        info = hub.HfApi(endpoint=_endpoint()).dataset_info(repo, revision=revision)
        names = [sibling.rfilename for sibling in info.siblings or []]
        is_run = "pack.json" in names
        wanted = [name for name in names if NAMES.fullmatch(name)] if is_run else [PROBES]
        if not set(NEEDED if is_run else [PROBES]) <= set(names):
            raise UsageError(f"{repo} on the hub is neither a run nor a suite of InnerEar: it has no {PROBES}")
        if is_run and out.exists():
            raise UsageError(f"{out} already exists; name a new folder")
        there = Path(
            hub.snapshot_download(
                repo, repo_type="dataset", revision=info.sha, allow_patterns=wanted, endpoint=_endpoint()
            )
        )
    if not is_run:
        suite = load(there / PROBES)
        if out.exists():
            raise UsageError(f"{out} already exists; name a new file")
        write_whole(out, (there / PROBES).read_bytes())
        return suite
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as made:
        packed = Path(made, f"{repo.replace('/', '+')}.zip")
        with zipfile.ZipFile(packed, "w") as file:
            for name in wanted:
                kind = zipfile.ZIP_STORED if name.endswith(STORED) else zipfile.ZIP_DEFLATED
                file.writestr(zipfile.ZipInfo(name), (there / name).read_bytes(), kind)
        return unpack(packed, out)


def run_card(run: Run, repo: str, licence: str) -> str:
    """The dataset card of a run."""
    asked, items, scores = run.asked, run.items(), stages.score(run)
    outcomes = Counter(item.render.outcome for item in items)
    jails = {item.render.jail.get("tier", "none") for item in items if item.render.jail} or {"none"}
    sounds = {item.render.audio for item in items if item.render.audio}
    facts = {
        "models": ", ".join(f"`{printable(model)}`" for model in asked.models),
        "strategy": ", ".join(f"`{name}`" for name in asked.strategies)
        + f", {asked.attempts} attempt{'s' if asked.attempts > 1 else ''} per probe",
        "suite": f"{printable(asked.suite)}, digest `{asked.suite_digest}`; {len(run.probes)} of its probes",
        "completions": str(len(items)),
        "outcomes": ", ".join(f"{outcome.replace('_', ' ')} {n}" for outcome, n in outcomes.most_common()),
        "sounds": f"{len(sounds)} (24-bit FLAC)",
        "jail": ", ".join(sorted(jails)),
        "limits": f"{asked.limits.cpu_s:g} s CPU time, {asked.limits.memory_bytes >> 20} MB per program",
        "embedders": ", ".join(asked.embedders) or "none",
        "made": f"{run.file.created}, InnerEar {run.file.versions.get('innerear', '')}",
    }
    missing = outcomes.get(Outcome.NOT_RENDERED, 0)
    lost = (
        f"\nLeft out of every rate: {counted(missing, 'program')} not run because of the infrastructure.\n"
        if missing
        else ""
    )
    configs: list[dict[str, Any]] = [
        {"config_name": "sounds", "data_dir": "audio", "default": True},
        {"config_name": "scores", "data_files": "scores.csv"},
        {"config_name": "completions", "data_files": "completions.jsonl"},
    ]
    head = _front(repo, licence, len(items), configs if sounds else configs[1:])
    table = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    scored = export([run.folder], "markdown") if any(score.value is not None for score in scores) else "None yet.\n"
    return f"""{head}
# {repo.partition("/")[2]}

Language models, which have never heard anything, were asked for programs that make sounds. This dataset has their
answers, the rendered sounds, and their measurements by [InnerEar](https://pypi.org/project/innerear/).

| | |
|---|---|
{table}
{lost}
## Scores

{scored}
All scores, with interval, n and signature, are in `scores.csv`.

## Listen and rescore

```sh
pip install 'innerear[hub]'
innerear pull {repo} --out runs/theirs
innerear score runs/theirs
innerear report runs/theirs
```

Programs are unchanged model output: run them only in a jail, as `innerear render` does.

## Licence

{_licence(licence)} Model providers may have their own terms for model output.
"""


def suite_card(suite: Suite, repo: str, licence: str) -> str:
    """The dataset card of a suite."""
    tiers = Counter(probe.tier for probe in suite.probes)
    families = Counter(f"{probe.tier} | {probe.family}" for probe in suite.probes)
    rows = "\n".join(f"| {printable(family)} | {count} |" for family, count in families.items())
    counts = ", ".join(f"{tier} {n}" for tier, n in tiers.items())
    head = _front(
        repo, licence, len(suite.probes), [{"config_name": CONFIG, "data_files": [{"split": SPLIT, "path": PROBES}]}]
    )
    return f"""{head}
# {repo.partition("/")[2]}

{len(suite.probes)} probes for [InnerEar](https://pypi.org/project/innerear/) ({counts}):
sounds that a language model is asked to write as a program, each with the checks that the sound must pass.
Digest `{suite.digest}`.

| tier | family | probes |
|---|---|---:|
{rows}

```sh
innerear run --suite hf://datasets/{repo} --model openai/gpt-4o-mini --out runs/mine
```

## Licence

{_licence(licence)}
"""


def _clean(value: Any, scrub: Scrub) -> Any:
    return scrub.text(value) if isinstance(value, str) else value


def _licence(licence: str) -> str:
    return "Not stated by the uploader." if licence == "unknown" else f"`{licence}`, as stated by the uploader."


def _front(repo: str, licence: str, size: int, configs: list[dict[str, Any]]) -> str:
    """The YAML header of a card, which the hub reads."""
    facts = _hub().DatasetCardData(
        pretty_name=repo.partition("/")[2],
        license=licence,
        language="en",
        task_categories=["text-to-audio"],
        tags=TAGS,
        size_categories=[next((name for most, name in SIZES if size < most), "n>1M")],
        configs=configs,
    )
    return f"---\n{facts.to_yaml()}\n---\n"


def _sounds(run: Run, folder: Path) -> Iterator[dict[str, Any]]:
    """One row per sound: its probe and model (the first if several made it), and the checks passed."""
    rows = [row for row in run.measurements().values() if row.metric != "failure"]
    passed = grouped((row.subject, row.passed) for row in rows if row.passed is not None)
    seen = set()
    for item in run.items():
        name = f"{item.render.audio}.flac"
        if name in seen or not (folder / "audio" / name).exists():
            continue
        seen.add(name)
        judged = passed.get(item.completion.key, [])
        yield {
            "file_name": name,
            "caption": item.probe.caption,
            "probe": item.probe.id,
            "tier": item.probe.tier,
            "family": item.probe.family,
            "level": item.probe.level,
            "model": item.completion.model,
            "attempt": item.completion.attempt,
            "checks": len(judged),
            "passed": sum(judged),
        }


def _upload(folder: Path, repo: str, private: bool, message: str) -> str:
    with _said(repo):
        api = _hub().HfApi(endpoint=_endpoint())
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo, repo_type="dataset", folder_path=folder, commit_message=message, delete_patterns=STALE
        )
    return str(done.commit_url)
