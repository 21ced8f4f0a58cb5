"""The scorecard: four questions by three tiers, each cell one score between its floor and its ceiling."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner

from innerear import stages
from innerear.cli.main import main
from innerear.cli.table import said_of_distances
from innerear.records import Scope, Score
from innerear.report.scorecard_picture import scorecard_svg
from innerear.run.run import Run
from innerear.scores.cells import QUESTIONS, tiers_of
from innerear.scores.scorecard import marked, scorecard
from innerear.scores.scorecard_words import legend, sentence, text
from innerear.sharing.scorecards import FORMATS

HOSTILE = '</title><script>alert(1)</script>"&\x1b[31m\ud800'


def score(metric: str, value: float | None, tier: str = "notes", model: str = "a/model", **more) -> Score:
    unit = {"whisper_wer": "WER", "told_from_real": "AUC", "spread": ""}.get(metric, "share")
    fields = {"n": 40, "missing": 0, "signature": f"{metric}|v:1", "unit": unit} | more
    return Score(metric, model, "direct", tier, value, **fields)


def told(value: float | None, group: str, ear: str, kind: str = "environment", **more) -> Score:
    how = f"told_from_real|emb:{ear}@1|ref:{kind}@2|v:1"
    return score("told_from_real", value, "environment", group=Scope("", group), better="lower", signature=how, **more)


ENDS = {"floor": {"silence": 0.0, "sine": 0.1, "informed": 0.8}, "ceiling": {"real": 0.9}}
SCORES = [
    score("audio", 0.95),
    score("checks", 0.5, low=0.35, high=0.65, **ENDS),
    score("identical_programs", None, note="no probe has 3 attempts; `innerear run --attempts 5` makes five"),
    told(0.7, "environment", "yamnet", floor={"noise": 1.0}, ceiling={"real": 0.51}),
    told(0.8, "environment", "aisfx", floor={"noise": 1.0}, ceiling={"real": 0.5}, low=0.7, high=0.9),
    told(0.99, "animals", "aisfx"),
    score("whisper_wer", 0.25, "speech", low=0.2, high=1.3, floor={"noise": 1.0, "sine": 1.2}, better="lower"),
    score("checks", 0.8, "speech", n=7, missing=27),
]


def cell(question: str, tier: str, scores=SCORES):
    (row, *_) = scorecard(scores)
    return row.cell(question, tier)


def test_a_cell_is_between_the_highest_floor_that_knows_nothing_and_recordings():
    right = cell("right", "notes")
    assert (right.floor, right.floor_by, right.ceiling, right.ceiling_by) == (0.1, "sine", 0.9, "real")
    assert right.place(right.value) == pytest.approx(0.5)
    assert [right.place(value) for value in (0.0, 1.0, None)] == [0.0, 1.0, None]


def test_words_are_one_minus_the_error_rate_and_never_below_none():
    words = cell("right", "speech")
    assert (words.value, words.low, words.high, words.floor) == (0.75, 0.0, 0.8, 0.0)
    assert (words.metric, words.better) == ("whisper_wer", "higher")
    assert [(also.metric, also.value, also.n) for also in words.also] == [("checks", 0.8, 7)], "not averaged with words"


def test_real_is_the_whole_kind_by_the_ear_that_tells_best_and_lower_is_further_right():
    real = cell("real", "environment")
    assert (real.value, real.kind) == (0.8, "environment")
    assert [also.value for also in real.also] == [0.7], "the other ear is next to it, a family is not"
    assert real.place(0.6) > real.place(0.8)
    assert cell("real", "environment", SCORES[3:4]).value == 0.7, "the other ear where the first is lacking"


def test_what_was_not_measured_says_why():
    varied = cell("varied", "notes")
    assert (varied.value, text(varied)) == (None, "not measured")
    assert "--attempts 5" in varied.note
    assert any("--attempts 5" in line for line in legend(scorecard(SCORES)))


def test_few_checks_are_a_count_and_fewer_than_another_system_are_marked():
    rows = scorecard([score("checks", 0.5, n=4), score("checks", 0.5, n=31, model="b/model")])
    assert rows[0].cell("right", "notes").fewer == 27
    assert text(rows[0].cell("right", "notes")) == "2 of 4 checks†"
    assert rows[1].cell("right", "notes").fewer == 0
    assert any(line.startswith("†") for line in legend(rows))
    assert marked(rows) == rows, "marking twice changes nothing"


def test_checks_that_could_not_be_run_are_said_in_the_cell_and_in_the_sentence():
    (row,) = scorecard([score("checks", 14 / 15, n=15, missing=43)])
    assert text(row.cell("right", "notes")) == "93 %, n 15†"
    assert row.said == "a/model: it passes 93 % of the checks in notes (15 of 58 could be run)."
    assert "notes: 43 checks not run" in legend([row])[-1]


def test_few_are_counted_in_good_english():
    words = score("whisper_wer", 1.0, "speech", n=1)
    (row,) = scorecard(
        [score("audio", 1.0, n=1), score("checks", 0.0, n=2), score("checks", 0.25, "environment", n=4), words]
    )
    assert row.said == (
        "a/model: its one program runs; it passes 0 of 2 checks in notes and 1 of 4 in environment; the one word it "
        "says is not recognised by a recogniser that is told no text."
    )
    assert text(row.cell("runs", "notes")) == "1 of 1 program"


def test_reasons_name_their_tiers_and_are_true():
    levelled = score("told_from_real", None, "speech", note="no recordings of what these probes ask for")
    rows = scorecard([score("audio", 1.0), score("audio", 1.0, "speech"), levelled])
    real = next(line for line in legend(rows) if line.startswith("real"))
    assert "in notes: no embedder of levelled sounds" in real
    assert "in speech: no recordings of what these probes ask for" in real
    assert said_of_distances([score("kad", None, n=3, note="too few clips")]) == "no distances: too few clips"


def test_the_smallest_visible_difference_of_two_systems_alone_is_that_of_two_independent_rates():
    """Cohen 1988: (1.96 + 0.84) standard errors of a difference of two rates of 50 % of 40: 31 points."""
    reach = 1.96 * (0.5 * 0.5 / 40) ** 0.5
    right = cell("right", "notes", [score("checks", 0.5, low=0.5 - reach, high=0.5 + reach)])
    assert right.visible == pytest.approx(2.8016 * (2 * 0.25 / 40) ** 0.5, rel=1e-3)
    assert not right.paired


def test_between_two_models_it_is_the_paired_one_and_baselines_do_not_count():
    detail = {"visible": 0.12, "p": 0.2, "p_holm": 0.2}
    against = score("checks_difference", 0.1, group=Scope("vs", "b/model"), detail=detail)
    floor = score("checks_difference", 0.1, group=Scope("vs", "baseline/noise"), detail={**detail, "visible": 0.4})
    right = cell("right", "notes", [score("checks", 0.5, low=0.4, high=0.6), against, floor])
    assert (right.visible, right.paired) == (0.12, True)


def test_the_sentence_has_no_test_and_no_interval():
    said = scorecard(SCORES)[0].said
    assert said == (
        "a/model: 38 of 40 programs run; it passes 50 % of the checks in notes; of the 40 words it says, 75 % are "
        "recognised by a recogniser that is told no text; given one of its sounds and a recording, a classifier knows "
        "which is which 80 times in 100 for environment."
    )
    assert sentence("m", []) == "m: nothing was measured."
    how = "spread|emb:aisfx@1|ref:environment@2|v:1"
    spread = score("spread", 0.55, "environment", group=Scope("", "environment"), signature=how)
    (row,) = scorecard([spread])
    assert row.said == "a/model: its answers to one request differ 55 % as much as recordings do for environment."


def test_floors_come_after_models_and_are_named():
    rows = scorecard([score("checks", 0.0, model="baseline/noise"), score("checks", 0.5)])
    assert [row.end for row in rows] == [None, "noise"]
    assert scorecard([]) == []


def test_the_picture_is_xml_in_which_hostile_names_are_text():
    rows = scorecard([score("checks", 0.5, model=HOSTILE, note=HOSTILE, low=0.4, high=0.6)])
    picture = ElementTree.fromstring(scorecard_svg(rows))
    assert {node.tag.rpartition("}")[2] for node in picture.iter()} <= {
        "svg", "title", "style", "rect", "line", "circle", "text", "tspan", "g",
    }  # fmt: skip
    assert "alert(1)" in "".join(picture.itertext())


def test_the_picture_of_one_tier_cuts_no_sentence():
    why = "too few sources or speakers of recordings (has 6, needs 8)"
    rows = scorecard([score("checks", 0.5, n=2, low=0.1, high=0.9), told(None, "environment", "aisfx", note=why)])
    picture = " ".join(ElementTree.fromstring(scorecard_svg(rows)).itertext())
    assert "1 of 2" in picture
    one_tier = scorecard([score("checks", 0.5, low=0.35, high=0.65), *SCORES[:1]])
    lines = [node.text or "" for node in ElementTree.fromstring(scorecard_svg(one_tier)).findall(".//{*}text")]
    assert "unpaired." in " ".join(lines)
    assert all(len(line) < 72 for line in lines), "398 pixels hold no longer line"
    assert all(word in picture for word in why.split())


def test_code_in_a_reason_stays_code():
    rows = scorecard(SCORES)
    assert "`innerear run --attempts 5`" in FORMATS["markdown"](rows)
    assert r"\texttt{innerear run -{}-attempts 5}" in FORMATS["latex"](rows)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_writes_hostile_names_and_an_empty_card(form):
    rows = scorecard([score("checks", 0.5, model=HOSTILE.replace("\ud800", ""), note="x")])
    assert "alert" in FORMATS[form](rows)
    assert "\x1b" not in FORMATS[form](rows)
    assert isinstance(FORMATS[form]([]), str)


@pytest.mark.xdist_group("recorded_run")
def test_the_command_exports_the_card_that_the_terminal_shows(recorded_run):
    rows = scorecard(stages.score(Run(recorded_run)))
    shown = CliRunner().invoke(main, ["score", str(recorded_run)]).output
    assert all(question in shown for question in QUESTIONS)
    assert rows[0].said in shown
    out = CliRunner().invoke(main, ["export", str(recorded_run), "--scorecard", "--format", "csv"])
    cells = list(csv.DictReader(io.StringIO(out.stdout)))
    assert len(cells) == sum(len(row.cells) for row in rows) == 4 * len(tiers_of(rows)) * len(rows)
    found = {(c["model"], c["question"], c["tier"]): c["value"] for c in cells}
    for row in rows:
        for one in row.cells:
            value = found[row.model, one.question, one.tier]
            assert (float(value) if value else None) == one.value
    made = CliRunner().invoke(main, ["export", str(recorded_run), "--scorecard", "--format", "json"])
    assert [row["model"] for row in json.loads(made.stdout)] == [row.model for row in rows]
    refused = CliRunner().invoke(main, ["export", str(recorded_run), "--format", "svg"])
    assert refused.exit_code == 2
