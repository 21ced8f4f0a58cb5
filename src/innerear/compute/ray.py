"""A Ray cluster as `Executor`: runs the work of a stage in other processes and on other nodes.

One actor per core holds the resources that the work opens (a jail that passed its self-test on that node, a neural
network). The driver hands out batches and keeps the results; if a worker is lost, its batch goes to another. A node
that cannot do the work gets none and is named in `remarks`.

Actors rather than Ray Data, which returns results in whole blocks: each row must be kept as soon as it is ready.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from innerear.compute.ray_round import Round, share
from innerear.compute.ray_worker import NodeUnfit, Seat, Worker
from innerear.compute.work import Executor, Failure, Job, Local
from innerear.errors import ClusterUnavailable, UsageError

__all__ = ["NodeUnfit", "Ray", "machines", "share"]

T = TypeVar("T")
R = TypeVar("R")

STARTS = 3  # attempts to start a local cluster
STORE_BYTES = 256 << 20  # object store of a cluster started here: rows are small


def machines(on: str | None, workers: int | None = None) -> Executor:
    """What runs the stages: threads of this process (`None`), a local cluster (`ray`), or `ray://HOST:PORT`.

    Raises:
        UsageError: `on` is something else. ClusterUnavailable: Ray is not installed, or no cluster answers.
    """
    if on is None:
        return Local(workers or 0)
    if on != "ray" and not on.startswith("ray://"):
        raise UsageError(f"--on is {on!r}; wanted ray (a cluster on this machine) or ray://HOST:PORT")
    return Ray(None if on == "ray" else on, workers)


@dataclass
class Ray:
    """A Ray cluster: the one at `address`, else one running on this machine, else one started here.

    Raises:
        ClusterUnavailable: Ray is not installed, or no cluster answers.
    """

    address: str | None = None
    most: int | None = None  # workers at most
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of clusters started here
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

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        """Stop the workers and disconnect; a cluster that was started here is shut down."""
        self._dismiss()
        if self._mine:
            self._ray.shutdown()
            self._mine = False

    @property
    def workers(self) -> int:
        """The number of cores to use at once."""
        cores = sum(cores for cores, _ in self.nodes().values())
        return max(1, min(cores, self.most or cores))

    def nodes(self) -> dict[str, tuple[int, int]]:
        """Cores and GPUs of each live node by its id, as configured in Ray."""
        return {
            node["NodeID"]: (int(node["Resources"].get("CPU", 0)), int(node["Resources"].get("GPU", 0)))
            for node in self._ray.nodes()
            if node["Alive"]
        }

    def map(self, work: Job[T, R], items: Sequence[T], keep: Callable[[T, R], None]) -> list[Failure[T]]:
        """See `Executor.map`.

        Raises:
            ClusterUnavailable: no node is left. Results that were kept stay kept.
        """
        if not items:
            return []
        gpu = work.gpu and any(gpus for _, gpus in self.nodes().values())
        if gpu != self._gpu:
            self._dismiss()  # an actor's resources are fixed: start new ones, with or without a GPU
            self._gpu = gpu
        return Round(self, self._ray, work, items, keep).run()

    def seat(self, node: str) -> Seat:
        """Start a worker on a node."""
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
        """Stop a worker, if it was not stopped before."""
        if seat in self._seats:
            self._seats.remove(seat)
            self._ray.kill(seat.actor)

    def staff(self, refused: set[str]) -> tuple[list[Seat], list[Seat]]:
        """The existing workers and the new ones: one per core (or GPU) of every node that is not refused."""
        slots_of = {node: gpus if self._gpu else cores for node, (cores, gpus) in self.nodes().items()}
        before = [seat for seat in self._seats if seat.node in slots_of and seat.node not in refused]
        for seat in [seat for seat in self._seats if seat not in before]:
            self.unseat(seat)
        new = []
        for node, slots in slots_of.items():
            free = 0 if node in refused else slots - sum(seat.node == node for seat in self._seats)
            for _ in range(free):
                if self.most is None or len(self._seats) < self.most:
                    new.append(self.seat(node))
        return before, new

    def _dismiss(self) -> None:
        for seat in list(self._seats):
            self.unseat(seat)


def _connect(ray: Any, address: str | None) -> None:
    options: dict[str, Any] = {"logging_level": "critical", "log_to_driver": False}
    try:
        if address:
            ray.init(address, **options)
            return
        try:
            ray.init("auto", **options)
        except ConnectionError:
            _start(ray, options)
    except Exception as error:  # Ray raises plain Exceptions, too
        raise ClusterUnavailable(f"no Ray cluster at {address or 'this machine'}: {error}") from error


def _start(ray: Any, options: dict[str, Any]) -> None:
    """Start a local cluster. Ray times out after half a minute, which may be too short on a busy machine."""
    for left in reversed(range(STARTS)):
        try:
            ray.init("local", include_dashboard=False, object_store_memory=STORE_BYTES, **options)
            return
        except Exception:
            ray.shutdown()
            if not left:
                raise
