"""The physics behind truths of edition 2: a geometry in, the figure that a check expects out.

Air is at 20 °C, where sound travels 343.2 m/s; g is 9.81 m/s².
"""

from __future__ import annotations

import math
from collections.abc import Sequence

SOUND_M_S = 343.2
G_M_S2 = 9.81


def echo_delay_s(distance_m: float) -> float:
    """The time to a wall and back.

    >>> round(echo_delay_s(85), 4)
    0.4953
    """
    return 2 * distance_m / SOUND_M_S


def bounces_s(height_m: float, kept: float, count: int) -> list[float]:
    """The times of a ball's first bounces, let go at time 0; each keeps this share of the speed.

    >>> [round(time, 4) for time in bounces_s(1, 0.85, 3)]
    [0.4515, 1.2191, 1.8716]
    """
    falls_s = math.sqrt(2 * height_m / G_M_S2)
    return [falls_s * (1 + 2 * sum(kept**n for n in range(1, bounce + 1))) for bounce in range(count)]


def splash_s(depth_m: float) -> float:
    """When the splash of a stone let go at time 0 is heard at the top of a well.

    >>> round(splash_s(20), 3)
    2.078
    """
    return math.sqrt(2 * depth_m / G_M_S2) + depth_m / SOUND_M_S


def passing_hz(source_hz: float, speed_m_s: float) -> tuple[float, float]:
    """The pitch of a source that approaches from afar, and that recedes into the distance.

    >>> [round(hz, 2) for hz in passing_hz(700, 30)]
    [767.05, 643.73]
    """
    return source_hz * SOUND_M_S / (SOUND_M_S - speed_m_s), source_hz * SOUND_M_S / (SOUND_M_S + speed_m_s)


def firing_hz(revolutions_per_minute: float, cylinders: int) -> float:
    """The firing rate of a four-stroke engine: each cylinder fires every second revolution.

    >>> firing_hz(3000, 4), firing_hz(600, 8)
    (100.0, 40.0)
    """
    return revolutions_per_minute / 60 * cylinders / 2


def pendulum_hz(length_m: float) -> float:
    """How often a pendulum passes its lowest point, for small swings.

    >>> round(pendulum_hz(0.994), 3)
    1.0
    """
    return math.sqrt(G_M_S2 / length_m) / math.pi


def cricket_hz(celsius: float) -> float:
    """The chirp rate of a field cricket by Dolbear's law, T = 10 + (N - 40) / 7 with N chirps a minute.

    >>> round(cricket_hz(25), 3)
    2.417
    """
    return (40 + 7 * (celsius - 10)) / 60


def helmholtz_hz(volume_m3: float, neck_m: float, width_m: float) -> float:
    """The resonance of a bottle, its neck longer by the end corrections of a flanged and a free end.

    >>> round(helmholtz_hz(0.75e-3, 0.08, 0.019), 1)
    109.6
    """
    radius_m = width_m / 2
    length_m = neck_m + (0.85 + 0.613) * radius_m
    return SOUND_M_S / (2 * math.pi) * math.sqrt(math.pi * radius_m**2 / (volume_m3 * length_m))


def stopped_pipe_hz(length_m: float) -> float:
    """The fundamental of a pipe that is closed at one end.

    >>> stopped_pipe_hz(1)
    85.8
    """
    return SOUND_M_S / (4 * length_m)


def stiff_partials(inharmonicity: float, count: int) -> list[float]:
    """The partials of a stiff string, relative to the first (Fletcher): n √(1 + B n²) / √(1 + B).

    >>> [round(ratio, 3) for ratio in stiff_partials(0.001, 3)]
    [1.0, 2.003, 3.012]
    """
    return [n * math.sqrt((1 + inharmonicity * n**2) / (1 + inharmonicity)) for n in range(1, count + 1)]


_MORSE = {
    "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--.", "H": "....", "I": "..",
    "J": ".---", "K": "-.-", "L": ".-..", "M": "--", "N": "-.", "O": "---", "P": ".--.", "Q": "--.-", "R": ".-.",
    "S": "...", "T": "-", "U": "..-", "V": "...-", "W": ".--", "X": "-..-", "Y": "-.--", "Z": "--..", "0": "-----",
    "1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-....", "7": "--...", "8": "---..",
    "9": "----.",
}  # fmt: skip


def morse_s(text: str, words_per_minute: float) -> float:
    """How long a text takes in Morse code (ITU-R M.1677); a word is PARIS, 50 units.

    >>> round(morse_s("SOS", 12), 3), round(morse_s("PARIS", 20) + 7 * 0.06, 3)
    (2.7, 3.0)
    """
    marks = [[_MORSE[letter] for letter in word] for word in text.split()]
    units = sum(_units(word) for word in marks) + 7 * (len(marks) - 1)
    return units * 1.2 / words_per_minute


def _units(letters: Sequence[str]) -> int:
    return sum(sum(3 if mark == "-" else 1 for mark in one) + len(one) - 1 for one in letters) + 3 * (len(letters) - 1)
