"""CPU time of asking: repair:2 over the suite at 50 requests in flight, from a server on this machine.

    python bench/asking.py [--quick] [--profile]

The server answers from the recording in a process of its own; every third program is broken until its
error comes back. Programs are not run: what runs them is a stand-in, so that the figure is of asking
alone (a jail's share is in bench/jail.py). Beside it, in the same run, stands the SDK alone: the same
requests by `openai.AsyncOpenAI`, 50 at a time, and nothing kept. Milliseconds of processor time of this
process per request.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import multiprocessing
import pstats
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from innerear.ask.generate import Bench, generate
from innerear.ask.models import Options, open_model
from innerear.ask.strategies import Heard
from innerear.programs.extract import extract
from innerear.records import Completion, Outcome, Render
from innerear.run.parts import Writer
from innerear.suite import edition
from need import need

need("openai", how="pip install 'innerear[openai]'")

from openai_server import OpenAIServer, reply

AT_ONCE = 50
BROKEN = "```python\nraise ValueError('a wrong chord')\nopen('output.wav', 'wb')\n```"


def serve(pipe) -> None:
    """The server, until the pipe is written to; then how many requests there were."""
    with OpenAIServer() as server:
        recorded = {}
        import json

        for answers_to, text in server.answers.items():
            messages = json.loads(answers_to)
            if len(messages) == 2:
                recorded[messages[1][1]] = text

        def respond(number, body):
            question = body["messages"][1]["content"]
            broken = len(body["messages"]) == 2 and len(question) % 3 == 0
            return reply(BROKEN if broken else recorded[question])

        server.script = respond
        pipe.send(server.url)
        while pipe.recv() != "end":
            pipe.send(len(server.bodies))


def ran(program) -> Render:
    """What running it would give."""
    failed = program.code is not None and "a wrong chord" in program.code
    return Render("", program.digest, Outcome.ERROR if failed else Outcome.OK, "ValueError: a wrong chord")


def ask(url: str, folder: Path, every: int = 1) -> int:
    """Every so many probes of the suite once by `repair:2`; the number of completions."""
    model = open_model("openai/m", Options(base_url=url, concurrency=AT_ONCE))
    bench = Bench(ran, lambda probe, render: Heard("", 0.0))
    kept = []
    with Writer(folder, Completion) as writer:

        def keep(completion: Completion) -> None:
            writer.keep(completion)
            kept.append(completion)

        failures = generate(edition("1").probes[::every], [model], "repair:2", keep=keep, bench=bench)
    assert not failures, failures[0]
    return len(kept)


async def sdk_alone(url: str, conversations: list[list[dict]]) -> None:
    """The same requests by the SDK, replies parsed by it."""
    import openai

    client = openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0)
    waiting = iter(conversations)

    async def worker() -> None:
        for messages in waiting:
            await client.chat.completions.create(model="m", messages=messages)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    await client.close()


def main() -> None:
    """Print both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="store_true", help="print where the time of ours goes")
    parser.add_argument("--quick", action="store_true", help="a fourth of the probes")
    given = parser.parse_args()
    every = 4 if given.quick else 1
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=serve, args=(theirs,), daemon=True).start()
    url = ours.recv()
    extract("x = 1")

    def requests() -> int:
        ours.send("count")
        return ours.recv()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ask(url, folder / "warm", every)  # imports, and whatever is made once
        profile = cProfile.Profile()
        spent = []
        for turn in range(3):
            before, begun = requests(), time.process_time()
            if given.profile and turn == 2:
                profile.enable()
            ask(url, folder / str(turn), every)
            profile.disable()
            count = requests() - before
            spent.append((time.process_time() - begun) / count)
        conversations = [
            [{"role": message.role, "content": message.content} for message in held.messages]
            for completion in read(folder / "0")
            for held in (completion.rounds or [completion])
        ]
        alone = []
        for _ in range(3):
            begun = time.process_time()
            asyncio.run(sdk_alone(url, conversations))
            alone.append((time.process_time() - begun) / len(conversations))
    best, peer = min(spent), min(alone)
    print(f"requests a turn {count}, {AT_ONCE} in flight, repair:2")
    print(f"ours      {1e3 * best:.2f} ms CPU a request (turns: {', '.join(f'{1e3 * one:.2f}' for one in spent)})")
    print(f"the SDK   {1e3 * peer:.2f} ms CPU a request, alone, nothing kept; ratio {best / peer:.2f}")
    if given.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    ours.send("end")


def read(folder: Path) -> list[Completion]:
    """The completions of a folder."""
    from innerear.run.parts import read_rows

    return list(read_rows(folder, Completion).values())


if __name__ == "__main__":
    main()
