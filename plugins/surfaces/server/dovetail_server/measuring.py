"""What a server counts, in the text format of Prometheus.

Each worker counts for itself, and any of them may be the one that is asked: a label says whose numbers these are.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail_server.committing import Committer
    from dovetail_server.routing.route import Route

__all__ = ["Measures"]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds, as a histogram has them."""


class Measures:
    """Counts requests by route and status, and how long they took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._times: dict[tuple[str, str], list[float]] = {}

    def note(self, route: Route | None, status: int, seconds: float) -> None:
        """Note a request that was answered; None for the route of one that has none."""
        verb, path = (route.verb, route.path) if route else ("", "")
        with self._lock:
            self._requests[verb, path, status] += 1
            times = self._times.get((verb, path))
            if times is None:
                times = self._times[verb, path] = [0.0] * (len(BUCKETS) + 2)
            times[bisect_left(BUCKETS, seconds)] += 1
            times[-1] += seconds

    def text(self, committer: Committer) -> str:
        """Everything that this process has counted so far."""
        with self._lock:
            requests, times = dict(self._requests), {key: list(each) for key, each in self._times.items()}
        lines = [
            "# HELP dovetail_requests_total Requests answered.",
            "# TYPE dovetail_requests_total counter",
            *(f"dovetail_requests_total{{{_labels(*key)}}} {count}" for key, count in sorted(requests.items())),
            "# HELP dovetail_request_seconds How long requests took.",
            "# TYPE dovetail_request_seconds histogram",
            *(line for key, each in sorted(times.items()) for line in _histogram(*key, each)),
            "# HELP dovetail_commits_total Commits of what was logged.",
            "# TYPE dovetail_commits_total counter",
            f"dovetail_commits_total{{{_worker()}}} {committer.groups}",
            "# HELP dovetail_committed_requests_total Log requests in them.",
            "# TYPE dovetail_committed_requests_total counter",
            f"dovetail_committed_requests_total{{{_worker()}}} {committer.entries}",
        ]
        return "\n".join(lines) + "\n"


def _histogram(verb: str, path: str, times: list[float]) -> Iterator[str]:
    labels, count = _labels(verb, path), 0
    for bound, several in zip((*map(str, BUCKETS), "+Inf"), times, strict=False):
        count += int(several)
        yield f'dovetail_request_seconds_bucket{{{labels},le="{bound}"}} {count}'
    yield f"dovetail_request_seconds_sum{{{labels}}} {times[-1]:.6f}"
    yield f"dovetail_request_seconds_count{{{labels}}} {count}"


def _worker() -> str:
    return f'worker="{os.getpid()}"'


def _labels(verb: str, path: str, status: int | None = None) -> str:
    # Routes, not the paths of requests: those are as many as somebody likes.
    labels = f'{_worker()},method="{verb}",route="{path}"'
    return labels if status is None else f'{labels},status="{status}"'
