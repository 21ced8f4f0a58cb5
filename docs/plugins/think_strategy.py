"""A strategy: `innerear run … --strategy python:think_strategy.think_first`."""

from innerear.ask.strategies import Ask
from innerear.records import Message

__version__ = "1"


def think_first(probe):
    """Ask for the physics of the sound, then for the program."""
    messages = [Message("user", f"Which physical process makes this sound: {probe.caption}?")]
    answer = yield Ask(messages)
    messages += [Message("assistant", answer), Message("user", f"Write {probe.duration_s} s of it to output.wav.")]
    return (yield Ask(messages))
