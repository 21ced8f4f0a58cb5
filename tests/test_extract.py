"""From text to program: what models write, and what nobody would."""

import ast
import gc
import json
import time
from importlib import resources

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from innerear.programs.extract import LONGEST, extract

WHOLE = 'import numpy as np\nopen("output.wav", "wb").write(np.zeros(9).tobytes())\n'
OTHER = WHOLE.replace("zeros", "ones")


@pytest.mark.parametrize("name", ["one-shot", "plan"])
def test_every_recorded_reply_holds_a_program(name):
    path = resources.files("innerear.ask.models") / "recordings" / f"{name}.jsonl"
    texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]
    assert len(texts) == 172
    for text in texts:
        code = extract(text).code
        assert code is not None
        assert f"```python\n{code}```" in text


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{WHOLE}```",
        f"```\n{WHOLE}```\n",
        f"Of course!\n\n```py\n{WHOLE}```\nHave fun.",
        f"~~~python\n{WHOLE}~~~\n",
        f"~~~~ {{.python}}\n{WHOLE}~~~~~\n",
        f"```Python3\r\n{WHOLE}```\r\n".replace("\r\n", "\n").replace("\n", "\r\n"),
        f"```python\n{WHOLE}",  # cut off before the closing fence
        f"```python\n{WHOLE.rstrip()}```",  # closed on the last line of code
        f"The program: ```python\n{WHOLE}```",
        "1. First:\n   ```python\n" + "".join(f"   {line}\n" for line in WHOLE.splitlines()) + "   ```\n",
        "```python\n" + "".join(f"    {line}\n" for line in WHOLE.splitlines()) + "```\n",
        "\t```python\n" + "".join(f"\t{line}\n" for line in WHOLE.splitlines()) + "\t```\n",
        WHOLE,
        f"\n\n{WHOLE}\n",
        "```\n```\n" + WHOLE.replace("import", "~~~py\nimport", 1),
        f"```bash\npip install numpy\n```\nthen\n```python\n{WHOLE}```\nand ```bash\npython make.py\n```",
        f"```python\nimport numpy\n```\nis needed for\n```\n{WHOLE}```",
        f'```python\n{WHOLE}```\nTo hear it:\n```python\nplay("output.wav")\n```\n',
        f"```python\n{OTHER}```\nNo, that is wrong. Better:\n```python\n{WHOLE}```\n",
        f"```text\n{OTHER}```\n```python\n{WHOLE}```\n",
        f"```synth\n{WHOLE}```\n",
        f"<think>Perhaps\n```python\n{OTHER}\n{OTHER}\n{OTHER}```\nhm</think>```python\n{WHOLE}```",
        f"```python\n```\n```python\n{WHOLE}```",
        f"```python\n{WHOLE[:30]}\0{WHOLE[30:]}```",
    ],
)
def test_the_whole_program_is_found(text):
    assert extract(text).code == WHOLE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the reply is empty"),
        (" \n\t\r\n", "the reply is empty"),
        ("I am a language model and cannot make sounds.", "no code block in the reply"),
        ("Use ```x``` for code.", "no code block in the reply"),
        ("Hello", "no code block in the reply"),
        ("42", "no code block in the reply"),
        ("```python\n\n```", "the code block is empty"),
        ("```python", "the code block is empty"),
        ("```bash\nls -l\n```\n```json\n{\n```", "no code block in Python, only in bash, json"),
        (f"```python\nx = '{'a' * LONGEST}'\n```", f"the program has {LONGEST + 7} characters"),
        ("x = '" + "a" * LONGEST + "'", "no code block in the reply"),
    ],
)
def test_where_there_is_no_program_the_reason_says_why(text, reason):
    program = extract(text)
    assert program.code is None
    assert program.reason.startswith(reason)
    assert len(program.reason.splitlines()) == 1


def test_a_fence_inside_a_string_of_the_program_does_not_end_it():
    code = f'"""Makes a sound:\n\n```\nrun me\n```\n"""\n{WHOLE}'
    assert extract(f"Here:\n```python\n{code}```\nDone.").code == code


def test_a_bare_program_with_a_fence_in_a_string_is_the_whole_of_it():
    code = f'"""Usage:\n\n```python\nx = 1\n```\n"""\n{WHOLE}'
    assert extract(code).code == code


def test_a_program_with_a_mistake_is_still_the_program():
    assert extract("```python\nimport numpy as np\nx = (1\n```").code == "import numpy as np\nx = (1\n"
    assert extract("```\nfor i in range(9)\n```").code == "for i in range(9)\n"


def test_without_a_complete_program_the_longest_python_block_is_taken():
    short, long, untagged = "x = 1\n", "x = 1\ny = 2\n", "z = 1\n" * 50
    text = f"```\n{untagged}```\n" + "".join(f"```python\n{code}```\n" for code in (short, long, short))
    assert extract(text).code == "x = 1\ny = 2\n"


FRAGMENTS = [
    *["```", "```python\n", "\n```\n", "~~~\n", "~~~~", "    ", "\t", '"""', "'''", "import os\n", "x = 1\n"],
    *["output.wav", "\\", "\r\n", "\0", "é", "<think>", "</think>", "> ", "(", "f'{", "#", "\ud800"],
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)))
@example("\ud800```\udfff")
@example("```python\n" + "-" * 100_000 + "1\n```")
@example("```python\nx = " + "1+" * 100_000 + "1\n```")
@example("```python\n" + "(" * 100_000 + "\n```")
@example("```python\nx = '\\d'\n```")
@example("```python\nx = 1 is 1\n```")
def test_any_text_gives_a_program_or_a_reason(text):
    program = extract(text)
    assert (program.code is None) == bool(program.reason)
    assert len(program.digest) == 32
    if program.code is not None:
        assert program.code.strip()
        assert program.code.encode()


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000_000,
        "```\n" * 2_500_000,
        "`" * 10_000_000,
        "```python\nx = '''\n" * 600_000,
        '```python\nx = """' + "y\n" * 4_000_000 + "```\n" * 500_000,
        "```python\n" + 'x = """\n' + ("y" * 9_000 + "\n```\n") * 1_000,
        "```python\n" + "x = 1\n" * 1_600_000,
        "x = 1\n" * 150_000,
        "```python\n" + "1," * 500_000,
        "</think>" * 1_000_000,
    ],
    ids=range(10),
)
def test_ten_megabytes_take_no_longer_than_python_takes_to_parse_three(text):
    extracting = _took(extract, text)
    assert extracting < 3 * _took(ast.parse, "x = 1\n" * 150_000)  # which are 0.9 MB


def _took(function, text):
    gc.collect()
    begun = time.process_time()
    function(text)
    return time.process_time() - begun
