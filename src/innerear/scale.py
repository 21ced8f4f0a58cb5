"""A Ray cluster as `Machines`: the work of the stages on other processes and other nodes.

One actor a core keeps what the work opens (a jail that passed its self-test on that node, a
network) and is handed things to do. The driver hands out, gets results, and keeps them; things
whose worker was lost go to another. A node that cannot do the work gets none and is named.

Actors, and not Ray Data, whose blocks come back as wholes: a row must be kept when it is there.
"""

from __future__ import annotations

import os
import platform
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from innerear.errors import ClusterUnavailable, InnerEarError, UsageError
from innerear.parts import write_whole
from innerear.work import Local, Lost, Machines, Work

T = TypeVar("T")
R = TypeVar("R")

CALL_S = 0.25  # what a call to a worker should take: shorter work is handed out several things at a time
CALLS = 8  # that each worker should still get, at least: so that none is last with much to do
TRIES = 4  # a thing whose workers end so often is lost
LOOK_S = 2.0  # between two looks for new nodes
PATIENCE_S = 60.0  # without any worker, before giving up
STARTS = 3  # of a cluster of this machine, before giving up
STORE_BYTES = 256 << 20  # of a cluster that we start: rows are small


class NodeUnfit(InnerEarError):
    """A node is not set up as the driver is."""


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


@dataclass(frozen=True)
class _Facts:
    """What a worker must share with the driver: versions that results depend on, and a folder."""

    versions: dict[str, str]
    token: Path | None  # a file of the driver's in that folder
    content: bytes

    @classmethod
    def of(cls, token: Path | None) -> _Facts:
        versions = {name: metadata.version(name) for name in ("innerear", "numpy", "scipy")}
        versions["python"] = platform.python_version()
        return cls(versions, token, uuid.uuid4().hex.encode())

    def unlike_here(self) -> str:
        """What is missing on this node; nothing where all is as it should be."""
        here = _Facts.of(None).versions
        for name, version in self.versions.items():
            if here[name] != version:
                return f"it has {name} {here[name]}, wanted {version} as on the driver"
        if self.token is not None:
            try:
                same = self.token.read_bytes() == self.content
            except Exception as error:  # noqa: BLE001  of any file system
                return f"it cannot read {self.token.parent} ({error}); use a folder that all nodes see"
            if not same:
                return f"another folder is at {self.token.parent} there; use a folder that all nodes see"
        return ""


class _Worker:
    """An actor: one core, and what the work at hand has opened on it."""

    def __init__(self) -> None:
        self._opened = ExitStack()
        self._function: Callable[[Any], Any] | None = None
        self._forgives: tuple[type[Exception], ...] = ()

    def begin(self, work: Work[Any, Any], facts: _Facts) -> None:
        """Close what the work before has opened, and get ready for this.

        Raises:
            NodeUnfit, or what `open` raises: this node cannot do it.
        """
        self._opened.close()
        if missing := facts.unlike_here():
            raise NodeUnfit(missing)
        self._function = self._opened.enter_context(work.open())
        self._forgives = work.forgives

    def do(self, things: Sequence[Any]) -> tuple[list[Any], float]:
        """The results of things, one each, and the seconds that they took."""
        assert self._function is not None
        results: list[Any] = []
        start = time.perf_counter()
        for thing in things:
            try:
                results.append(self._function(thing))
            except self._forgives as error:
                results.append(Lost(None, str(error)))
        return results, time.perf_counter() - start


@dataclass(eq=False)
class _Seat:
    """A worker as the driver sees it."""

    actor: Any
    node: str


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
        self._seats: list[_Seat] = []
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
        cores = sum(cores for cores, _ in self._nodes().values())
        return max(1, min(cores, self.most or cores))

    def _nodes(self) -> dict[str, tuple[int, int]]:
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
        gpu = work.gpu and any(gpus for _, gpus in self._nodes().values())
        if gpu != self._gpu:
            self._dismiss()  # other actors: a core that is held cannot be had with its GPU
            self._gpu = gpu
        return _Round(self, self._ray, work, things, keep).run()

    def seat(self, node: str) -> _Seat:
        """A new worker on a node."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        actor = self._ray.remote(_Worker).options(
            num_cpus=1,
            num_gpus=1 if self._gpu else 0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
        )
        seat = _Seat(actor.remote(), node)
        self._seats.append(seat)
        return seat

    def unseat(self, seat: _Seat) -> None:
        """End a worker."""
        self._seats.remove(seat)
        self._ray.kill(seat.actor)

    def staff(self, refused: set[str]) -> tuple[list[_Seat], list[_Seat]]:
        """The workers that there are and those that are new: one a core (or GPU) of every node not refused."""
        nodes = {node: gpus if self._gpu else cores for node, (cores, gpus) in self._nodes().items()}
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


def share(thing_s: float | None, left: int, workers: int) -> int:
    """How many things go into one call: about `CALL_S` of work, and fewer towards the end.

    >>> share(None, 1000, 2), share(0.01, 1000, 2), share(0.01, 64, 2), share(3.0, 1000, 2)
    (1, 25, 4, 1)
    """
    if thing_s is None:
        return 1
    return max(1, min(left // (CALLS * workers), int(CALL_S / max(thing_s, 1e-4))))


class _Round:
    """One piece of work being done: who is at what, and what is left."""

    def __init__(self, cluster: Ray, ray: Any, work: Work[Any, Any], things: Sequence[Any], keep: Any) -> None:
        self._cluster, self._ray, self._keep = cluster, ray, keep
        self._work = ray.put(work)
        self._facts = _Facts.of(work.sees / f".seen.{uuid.uuid4().hex}" if work.sees else None)
        self._todo: deque[tuple[Any, int]] = deque((thing, 1) for thing in things)
        self._calls: dict[Any, tuple[_Seat, list[tuple[Any, int]]]] = {}
        self._begins: dict[Any, _Seat] = {}
        self._idle: list[_Seat] = []
        self._left = len(things)
        self._lost: list[Lost[Any]] = []
        self._refused: dict[str, BaseException] = {}
        self._false_starts: Counter[str] = Counter()
        self._thing_s: float | None = None  # what a thing takes, as seen so far

    def run(self) -> list[Lost[Any]]:
        """Until all is done or lost."""
        token = self._facts.token
        if token is None:
            return self._run()
        write_whole(token, self._facts.content)
        try:
            return self._run()
        finally:
            token.unlink(missing_ok=True)

    def _run(self) -> list[Lost[Any]]:
        seats, new = self._cluster.staff(set())
        for seat in (*seats, *new):
            self._begin(seat)
        looked = seen = time.monotonic()
        while self._left:
            self._hand_out()
            waiting = [*self._calls, *self._begins]
            if waiting:
                first, rest = self._ray.wait(waiting, timeout=LOOK_S)
                more = self._ray.wait(rest, num_returns=len(rest), timeout=0)[0] if first and rest else []
                for ref in (*first, *more):
                    self._take(ref)
                seen = time.monotonic()
            elif time.monotonic() - seen > PATIENCE_S or self._hopeless():
                self._give_up()
            else:
                time.sleep(0.2)
            if time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                self._look()
        return self._lost

    def _begin(self, seat: _Seat) -> None:
        self._begins[seat.actor.begin.remote(self._work, self._facts)] = seat

    def _look(self) -> None:
        """New nodes, and nodes whose workers were lost, get workers."""
        for seat in self._cluster.staff(set(self._refused))[1]:
            self._begin(seat)

    def _hand_out(self) -> None:
        while self._idle and self._todo:
            seat = self._idle.pop()
            count = share(self._thing_s, len(self._todo), len(self._calls) + len(self._idle) + 1)
            given = [self._todo.popleft() for _ in range(count)]
            self._calls[seat.actor.do.remote([thing for thing, _ in given])] = seat, given

    def _take(self, ref: Any) -> None:
        """What has come of a call."""
        from ray.exceptions import RayError, RayTaskError

        begun = self._begins.pop(ref, None)
        seat, share = (begun, []) if begun else self._calls.pop(ref)
        try:
            found = self._ray.get(ref)
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, BaseException) else error
            if not begun:
                raise cause from error
            self._refuse(seat, cause)
        except RayError as error:
            why = str(error).strip().splitlines()[0]
            self._again(seat, share, why)
            self._false_starts[seat.node] += 1 if begun else 0
            if self._false_starts[seat.node] >= TRIES:
                self._refuse(seat, NodeUnfit(f"workers do not start there: {why}"))
        else:
            if not begun:
                self._keep_all(share, *found)
            self._idle.append(seat)

    def _keep_all(self, share: list[tuple[Any, int]], results: list[Any], seconds: float) -> None:
        each_s = seconds / len(share)
        self._thing_s = each_s if self._thing_s is None else 0.8 * self._thing_s + 0.2 * each_s
        for (thing, _), result in zip(share, results, strict=True):
            self._left -= 1
            if isinstance(result, Lost):
                self._lost.append(Lost(thing, result.why))
            else:
                self._keep(thing, result)

    def _refuse(self, seat: _Seat, why: BaseException) -> None:
        """A node that cannot do this work is named, once, and is asked no more."""
        if seat.node not in self._refused:
            self._refused[seat.node] = why
            address = next((n["NodeManagerAddress"] for n in self._ray.nodes() if n["NodeID"] == seat.node), "?")
            remark = f"the node {address} ({seat.node[:8]}) takes no work: {why}"
            if remark not in self._cluster.remarks:
                self._cluster.remarks.append(remark)

    def _again(self, seat: _Seat, share: list[tuple[Any, int]], why: str) -> None:
        """A worker was lost, and what it was at goes to another."""
        if seat in self._idle:
            self._idle.remove(seat)
        if seat in self._cluster._seats:
            self._cluster.unseat(seat)
        for thing, tries in share:
            if tries < TRIES:
                self._todo.append((thing, tries + 1))
            else:
                self._left -= 1
                self._lost.append(Lost(thing, f"its worker ended {TRIES} times: {why}"))

    def _hopeless(self) -> bool:
        """Whether every node that is there has been refused."""
        nodes = self._cluster._nodes()
        return bool(self._refused) and all(node in self._refused for node, (cores, _) in nodes.items() if cores)

    def _give_up(self) -> None:
        for why in self._refused.values():
            raise why
        raise ClusterUnavailable(
            f"no node of the cluster is left, {self._left} are not done; the same command goes on from there"
        )
