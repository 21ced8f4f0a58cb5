"""A model: `innerear run --model python:hum_model.Hum/220 …`. A plain function from messages to text is one too."""

from innerear.ask.models.base import Local, Reply

CODE = """import numpy as np, scipy.io.wavfile
samples = 0.3 * np.sin(2 * np.pi * HZ * np.arange(44_100) / 44_100)
scipy.io.wavfile.write("output.wav", 44_100, samples.astype(np.float32))"""


class Hum(Local):
    version, converses = 1, True  # it is asked with the strategy of the run

    def __init__(self, rest, options):
        self.name, self.hz = f"python:hum_model.Hum/{rest}", rest

    def identity(self, probe, attempt):
        return self.hz  # what decides the answer, besides the version

    async def ask(self, probe, messages, attempt):
        return Reply(f"```python\n{CODE.replace('HZ', self.hz)}\n```")
