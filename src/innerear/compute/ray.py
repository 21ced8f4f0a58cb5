"""A Ray cluster as `Machines`: the work of the stages on other processes and other nodes.

One actor a core keeps what the work opens (a jail that passed its self-test on that node, a
network) and is handed things to do. The driver hands out, gets results, and keeps them; things
whose worker was lost go to another. A node that cannot do the work gets none and is named.

Actors, and not Ray Data, whose blocks come back as wholes: a row must be kept when it is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from innerear.compute.ray_round import Round, share
from innerear.compute.ray_worker import NodeUnfit, Seat, Worker
from innerear.compute.work import Local, Lost, Machines, Work
from innerear.errors import ClusterUnavailable, UsageError

__all__ = ["NodeUnfit", "Ray", "machines", "share"]

T = TypeVar("T")
R = TypeVar("R")

STARTS = 3  # of a cluster of this machine, before giving up
STORE_BYTES = 256 << 20  # of a cluster that we start: rows are small


def machines(on: str | None, workers: int | None = None) -> Machines:
    """Where to do the work of stages: here (`None`), or on `ray` or `ray://HOST:PORT`.

    Raises:
        UsageError: another word. ClusterUnavailable: Ray is not installed, or no cluster answers.
    """
    if on is None:
        return Local(workers or 0)
    if on != "ray" and not on.startswith("ray://"):
        raise UsageError(f"--on {on!r}; wanted ray (a cluster of this machine) or ray://HOST:PORT")
    return Ray(None if on == "ray" else on, workers)


@dataclass
class Ray:
    """A Ray cluster, the one that is running at `address` or on this machine, else one started here.

    Raises:
        ClusterUnavailable: Ray is not installed, or no cluster answers.
    """

    address: str | None = None
    most: int | None = None
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of clusters that we start
        try:
            import ray
        except ImportError as error:
            raise ClusterUnavailable("--on ray needs the package ray: pip install 'innerear[ray]'") from error
        self._ray: Any = ray
        self._seats: list[Seat] = []
        self._gpu = False
        self._mine = not ray.is_initialized()
        if self._mine:
            _connect(ray, self.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, and leave the cluster; one that was started here ends."""
        self._dismiss()
        if self._mine:
            self._ray.shutdown()
            self._mine = False

    @property
    def workers(self) -> int:
        """Cores of the cluster that may be used at once."""
        cores = sum(cores for cores, _ in self.nodes().values())
        return max(1, min(cores, self.most or cores))

    def nodes(self) -> dict[str, tuple[int, int]]:
        """The nodes that are there: their cores and GPUs, as Ray was told."""
        return {
            node["NodeID"]: (int(node["Resources"].get("CPU", 0)), int(node["Resources"].get("GPU", 0)))
            for node in self._ray.nodes()
            if node["Alive"]
        }

    def each(self, work: Work[T, R], things: Sequence[T], keep: Callable[[T, R], None]) -> list[Lost[T]]:
        """See `Machines.each`.

        Raises:
            ClusterUnavailable: no node is left. What was kept stays.
        """
        if not things:
            return []
        gpu = work.gpu and any(gpus for _, gpus in self.nodes().values())
        if gpu != self._gpu:
            self._dismiss()  # other actors: a core that is held cannot be had with its GPU
            self._gpu = gpu
        return Round(self, self._ray, work, things, keep).run()

    def seat(self, node: str) -> Seat:
        """A new worker on a node."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        actor = self._ray.remote(Worker).options(
            num_cpus=1,
            num_gpus=1 if self._gpu else 0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        seat = Seat(actor.remote(), node)
        self._seats.append(seat)
        return seat

    def unseat(self, seat: Seat) -> None:
        """End a worker, where it was not ended before."""
        if seat in self._seats:
            self._seats.remove(seat)
            self._ray.kill(seat.actor)

    def staff(self, refused: set[str]) -> tuple[list[Seat], list[Seat]]:
        """The workers that there are and those that are new: one a core (or GPU) of every node not refused."""
        nodes = {node: gpus if self._gpu else cores for node, (cores, gpus) in self.nodes().items()}
        before = [seat for seat in self._seats if seat.node in nodes and seat.node not in refused]
        for seat in [seat for seat in self._seats if seat not in before]:
            self.unseat(seat)
        new = []
        for node, places in nodes.items():
            free = 0 if node in refused else places - sum(seat.node == node for seat in self._seats)
            for _ in range(free):
                if self.most is None or len(self._seats) < self.most:
                    new.append(self.seat(node))
        return before, new

    def _dismiss(self) -> None:
        for seat in list(self._seats):
            self.unseat(seat)


def _connect(ray: Any, address: str | None) -> None:
    how: dict[str, Any] = {"logging_level": "critical", "log_to_driver": False}
    try:
        if address:
            ray.init(address, **how)
            return
        try:
            ray.init("auto", **how)
        except ConnectionError:
            _start(ray, how)
    except Exception as error:  # Ray raises bare ones, too
        raise ClusterUnavailable(f"no Ray cluster at {address or 'this machine'}: {error}") from error


def _start(ray: Any, how: dict[str, Any]) -> None:
    """A cluster of this machine. Ray gives itself half a minute, which a busy machine may not have."""
    for left in reversed(range(STARTS)):
        try:
            ray.init("local", include_dashboard=False, object_store_memory=STORE_BYTES, **how)
            return
        except Exception:
            ray.shutdown()
            if not left:
                raise
