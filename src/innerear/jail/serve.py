"""The server inside the container of the container tiers: `python -m innerear.jail.serve`."""

from __future__ import annotations

import sys
from typing import IO

import msgspec
import numpy as np

from innerear.errors import InnerEarError
from innerear.jail.messages import Answer, Ask
from innerear.records import Track


def serve(source: IO[bytes], target: IO[bytes], track: Track = "scratch") -> None:
    """Run programs in an `ll` jail, one after another, until `source` ends."""
    from innerear.jail.tiers import open_jail

    def send(message: object) -> None:
        data = msgspec.msgpack.encode(message)
        target.write(len(data).to_bytes(8, "little") + data)
        target.flush()

    jail = open_jail("ll", track)
    try:
        send(jail.facts)
        while head := source.read(8):
            ask = msgspec.msgpack.decode(source.read(int.from_bytes(head, "little")), type=Ask)
            try:
                ran = jail.run(ask.code.decode("utf-8", "surrogatepass"), ask.limits, ask.seed, ask.audited)
            except InnerEarError as error:
                send(Answer(failure=str(error)))
                continue
            sound = {}
            if ran.clip:
                samples = np.ascontiguousarray(ran.clip.samples.T).tobytes()
                sound = {"sample_rate": ran.clip.sample_rate, "channels": len(ran.clip.samples), "samples": samples}
            fields = (ran.outcome, ran.reason, ran.log, ran.exit_code, ran.wall_s, ran.cpu_s, ran.memory_bytes)
            send(Answer(*fields, **sound))  # type: ignore[arg-type]
    finally:
        jail.close()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, "library" if sys.argv[1:] == ["library"] else "scratch")
