"""Distribute one piece of work over the workers of a cluster until every item is done or lost."""

from __future__ import annotations

import time
import uuid
from collections import Counter, deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from innerear.compute.ray_worker import Facts, NodeUnfit, Seat
from innerear.compute.work import Failure, Job
from innerear.errors import ClusterUnavailable
from innerear.run.parts import write_whole

if TYPE_CHECKING:
    from innerear.compute.ray import Ray

CALL_S = 0.25  # target duration of a call to a worker: shorter items are batched
CALLS = 8  # least number of calls still to come per worker, so that none is left with a large batch at the end
TRIES = 4  # a item is lost if its worker dies this often
LOOK_S = 2.0  # between two checks for new nodes
PATIENCE_S = 60.0  # without any worker, before giving up


def share(item_s: float | None, left: int, workers: int) -> int:
    """The batch size of one call: about `CALL_S` of work, less towards the end.

    `item_s` is the mean time per item in seconds, `None` if not yet known; `left` the number of items left.

    >>> share(None, 1000, 2), share(0.01, 1000, 2), share(0.01, 64, 2), share(3.0, 1000, 2)
    (1, 25, 4, 1)
    """
    if item_s is None:
        return 1
    return max(1, min(left // (CALLS * workers), int(CALL_S / max(item_s, 1e-4))))


class Round:
    """One piece of work in progress: which worker does what, and what is left."""

    def __init__(self, cluster: Ray, ray: Any, work: Job[Any, Any], items: Sequence[Any], keep: Any) -> None:
        self._cluster, self._ray, self._keep = cluster, ray, keep
        self._work = ray.put(work)
        self._facts = Facts.of(work.sees / f".seen.{uuid.uuid4().hex}" if work.sees else None)
        self._todo: deque[tuple[Any, int]] = deque((item, 1) for item in items)
        self._calls: dict[Any, tuple[Seat, list[tuple[Any, int]]]] = {}
        self._begins: dict[Any, Seat] = {}
        self._idle: list[Seat] = []
        self._left = len(items)
        self._lost: list[Failure[Any]] = []
        self._refused: dict[str, BaseException] = {}
        self._false_starts: Counter[str] = Counter()
        self._thing_s: float | None = None  # running mean of the time per item

    def run(self) -> list[Failure[Any]]:
        """Do the work; return the items that were lost."""
        token = self._facts.token
        if token is None:
            return self._run()
        write_whole(token, self._facts.content)
        try:
            return self._run()
        finally:
            token.unlink(missing_ok=True)

    def _run(self) -> list[Failure[Any]]:
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

    def _begin(self, seat: Seat) -> None:
        self._begins[seat.actor.begin.remote(self._work, self._facts)] = seat

    def _look(self) -> None:
        """Start workers on new nodes, and on nodes that have lost theirs."""
        for seat in self._cluster.staff(set(self._refused))[1]:
            self._begin(seat)

    def _hand_out(self) -> None:
        while self._idle and self._todo:
            seat = self._idle.pop()
            count = share(self._thing_s, len(self._todo), len(self._calls) + len(self._idle) + 1)
            batch = [self._todo.popleft() for _ in range(count)]
            self._calls[seat.actor.do.remote([item for item, _ in batch])] = seat, batch

    def _take(self, ref: Any) -> None:
        """Handle the result of a finished call."""
        from ray.exceptions import RayError, RayTaskError

        begun = self._begins.pop(ref, None)
        seat, batch = (begun, []) if begun else self._calls.pop(ref)
        try:
            result = self._ray.get(ref)
        except RayTaskError as error:
            cause = error.cause if isinstance(error.cause, BaseException) else error
            if not begun:
                raise cause from error
            self._refuse(seat, cause)
        except RayError as error:
            why = str(error).strip().splitlines()[0]
            self._again(seat, batch, why)
            self._false_starts[seat.node] += 1 if begun else 0
            if self._false_starts[seat.node] >= TRIES:
                self._refuse(seat, NodeUnfit(f"workers do not start on it: {why}"))
        else:
            if not begun:
                self._keep_all(batch, *result)
            self._idle.append(seat)

    def _keep_all(self, batch: list[tuple[Any, int]], results: list[Any], seconds: float) -> None:
        mean_s = seconds / len(batch)
        self._thing_s = mean_s if self._thing_s is None else 0.8 * self._thing_s + 0.2 * mean_s
        for (item, _), result in zip(batch, results, strict=True):
            self._left -= 1
            if isinstance(result, Failure):
                self._lost.append(Failure(item, result.why))
            else:
                self._keep(item, result)

    def _refuse(self, seat: Seat, why: BaseException) -> None:
        """Exclude a node that cannot do this work, and report it once."""
        if seat.node not in self._refused:
            self._refused[seat.node] = why
            address = next((n["NodeManagerAddress"] for n in self._ray.nodes() if n["NodeID"] == seat.node), "?")
            remark = f"node {address} ({seat.node[:8]}) is not used: {why}"
            if remark not in self._cluster.remarks:
                self._cluster.remarks.append(remark)

    def _again(self, seat: Seat, batch: list[tuple[Any, int]], why: str) -> None:
        """Requeue the batch of a worker that was lost."""
        if seat in self._idle:
            self._idle.remove(seat)
        self._cluster.unseat(seat)
        for item, tries in batch:
            if tries < TRIES:
                self._todo.append((item, tries + 1))
            else:
                self._left -= 1
                self._lost.append(Failure(item, f"its worker ended {TRIES} times: {why}"))

    def _hopeless(self) -> bool:
        """Whether every live node has been refused."""
        nodes = self._cluster.nodes()
        return bool(self._refused) and all(node in self._refused for node, (cores, _) in nodes.items() if cores)

    def _give_up(self) -> None:
        for why in self._refused.values():
            raise why
        raise ClusterUnavailable(
            f"the cluster has no node left and {self._left} are not done; the same command resumes from there"
        )
