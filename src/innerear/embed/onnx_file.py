"""Writing a network as an ONNX file: the few messages of its format that are needed, by hand.

The format is Protocol Buffers: fields with a number, each a varint or bytes with a length. The
package `onnx` does this too; with its own dependencies it takes 40 MB for the dozen lines below,
and who listens with a light install needs nothing else of it. Numbers of fields are those of
onnx.proto (onnx.ai, Apache-2.0), IR version 8, operator set 17.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IR_VERSION, OPERATORS = 8, 17
FLOAT = 1  # a tensor of float32
INT, INTS = 2, 7  # kinds of attributes

Attribute = int | Sequence[int]


@dataclass(frozen=True)
class Node:
    """One operator: its name, the tensors that it takes, the one that it gives."""

    operator: str
    takes: Sequence[str]
    gives: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


def onnx_file(
    nodes: Sequence[Node],
    weights: Mapping[str, NDArray[np.float32]],
    takes: tuple[str, Sequence[int]],
    gives: tuple[str, Sequence[int]],
) -> bytes:
    """The file of a network; `takes` and `gives` are the name and the shape after the batch of its two ends."""
    graph = b"".join(_bytes(1, _node(node)) for node in nodes)
    graph += _bytes(2, b"network")
    graph += b"".join(_bytes(5, _tensor(name, values)) for name, values in weights.items())
    graph += _bytes(11, _port(*takes)) + _bytes(12, _port(*gives))
    operators = _bytes(1, b"") + _int(2, OPERATORS)
    return _int(1, IR_VERSION) + _bytes(2, b"innerear") + _bytes(7, graph) + _bytes(8, operators)


def _node(node: Node) -> bytes:
    made = b"".join(_bytes(1, name.encode()) for name in node.takes) + _bytes(2, node.gives.encode())
    made += _bytes(4, node.operator.encode())
    return made + b"".join(_bytes(5, _attribute(name, value)) for name, value in node.attributes.items())


def _attribute(name: str, value: Attribute) -> bytes:
    made = _bytes(1, name.encode())
    if isinstance(value, int):
        return made + _int(3, value) + _int(20, INT)
    return made + b"".join(_int(8, one) for one in value) + _int(20, INTS)


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    made = b"".join(_int(1, length) for length in values.shape) + _int(2, FLOAT)
    return made + _bytes(8, name.encode()) + _bytes(9, values.astype("<f4").tobytes())


def _port(name: str, shape: Sequence[int]) -> bytes:
    axes = _bytes(1, _bytes(2, b"batch")) + b"".join(_bytes(1, _int(1, length)) for length in shape)
    tensor = _int(1, FLOAT) + _bytes(2, axes)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value & (1 << 64) - 1)


def _bytes(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)
