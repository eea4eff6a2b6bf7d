"""Sends requests to a server over connections that stay open, one after the other on each, and times every answer.

The same for every peer: plain sockets, one process, requests put together beforehand but for their numbers. It sends
some ten thousand requests a second, so that what is measured is the server.

Arguments: the port, a job of JOBS, the seconds it may take (0: until it is done), the seconds before that do not count,
and for each connection what it is about: a run's or an experiment's id, for ``fill`` the number of runs after a colon.
Prints one JSON object.
"""

from __future__ import annotations

import gc
import json
import selectors
import socket
import sys
import time
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Work = Generator[bytes, bytes, None]

FIRST = 1_000_000  # steps of seven digits each: all requests are of the same length
BATCH = 100
PARAMS = METRICS = 10
PATIENCE = 60.0
API = "/api/2.0/mlflow/"


class Connection:
    """One connection, and what is sent over it.

    Args:
        port: Where the server listens.
        work: Requests; it is told the body that answered each.
    """

    def __init__(self, port: int, work: Work) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.settimeout(None)  # with one, Python asks the system before every call whether it may begin
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._work, self._got, self._begun = work, b"", 0.0
        self._next: bytes | None = next(work)
        self.sent = 0
        self.refused: list[int] = []
        self.refusal = ""

    def send(self) -> bool:
        """Send the next request, if there is one."""
        if self._next is None:
            return False
        self._begun = time.perf_counter()
        self.socket.sendall(self._next)
        return True

    def receive(self) -> float | None:
        """Read what is there: the seconds that the answer took, None if it is not whole yet."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise SystemExit(f"the server closed the connection after {self._got[:1000]!r}")
        self._got = self._got + piece if self._got else piece
        body = whole(self._got)
        if body is None:
            return None
        taken = time.perf_counter() - self._begun
        if self._got[9:12] != b"200":
            self.refused.append(self.sent)
            self.refusal = self._got[:1000].decode(errors="replace")
        self.sent, self._got = self.sent + 1, b""
        self._next = following(self._work, body)
        return taken


def whole(answer: bytes) -> bytes | None:
    """The body of an answer, None if more of it has to come."""
    end = answer.find(b"\r\n\r\n") + 4
    if end < 4:  # noqa: PLR2004 - the length of what is looked for
        return None
    head = answer[:end].lower()
    if (at := head.find(b"content-length: ")) > 0:
        length = int(head[at + 16 : head.index(b"\r", at)])
        return answer[end:] if len(answer) - end == length else None
    return answer[end:] if answer.endswith(b"\r\n0\r\n\r\n") else None  # in chunks: only their end matters here


def following(work: Work, body: bytes) -> bytes | None:
    """The next request, None at the end."""
    try:
        return work.send(body)
    except StopIteration:
        return None


def drive(connections: list[Connection], until: float) -> list[float]:
    """Keep every connection busy until a moment or until all is sent; how long each answer took."""
    selector, taken = selectors.DefaultSelector(), list[float]()
    for each in connections:
        if each.send():
            selector.register(each.socket, selectors.EVENT_READ, each)
    while selector.get_map():
        for key, _ in ready(selector):
            connection: Connection = key.data
            if (one := connection.receive()) is None:
                continue
            taken.append(one)
            if time.perf_counter() >= until or not connection.send():
                selector.unregister(connection.socket)
    selector.close()
    return taken


def ready(selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    """The connections where something came in."""
    found = selector.select(PATIENCE)
    if not found:
        raise SystemExit(f"the server has not answered for {PATIENCE:.0f} seconds")
    return found


def refusals(connections: list[Connection]) -> int:
    """How many requests were answered with anything but 200."""
    return sum(len(each.refused) for each in connections)


# --- jobs ----------------------------------------------------------------------------------------------------


def request(verb: str, path: str, body: Any = None) -> bytes:
    """A whole request."""
    data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    kind = "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    head = f"{verb} {API}{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n{kind}\r\n"
    return head.encode() + data


def numbered(verb: str, path: str, body: Any) -> Work:
    """The same request over and over, its steps being FIRST and the numbers after it."""
    template = request(verb, path, body)
    marks = template.count(str(FIRST).encode())
    template = template.replace(b"%", b"%%").replace(str(FIRST).encode(), b"%d")
    for step in count(FIRST):
        yield template % ((step,) * marks)


def point(key: str) -> dict[str, Any]:
    """A point at the step that is counted up."""
    return {"key": key, "value": 0.123456, "timestamp": 1_700_000_000_000, "step": FIRST}


def log_metric(run_id: str) -> Work:
    """One point a request."""
    return numbered("POST", "runs/log-metric", {"run_id": run_id, **point("loss")})


def log_batch(run_id: str) -> Work:
    """One step of a hundred metrics a request."""
    metrics = [point(f"metric-{number}") for number in range(BATCH)]
    return numbered("POST", "runs/log-batch", {"run_id": run_id, "metrics": metrics})


def same(verb: str, path: str, body: Any = None) -> Work:
    """One request for ever."""
    asked = request(verb, path, body)
    while True:
        yield asked


def get(run_id: str) -> Work:
    """A run of some params, metrics and tags."""
    return same("GET", f"runs/get?run_id={run_id}")


def search(experiment_id: str) -> Work:
    """The newest hundred runs of an experiment."""
    return same("POST", "runs/search", {"experiment_ids": [experiment_id], "max_results": 100})


def best(experiment_id: str) -> Work:
    """The best hundred runs by one metric of those that another lets pass."""
    order = {"filter": "metrics.m0 > 0.5", "order_by": ["metrics.m1 DESC"]}
    return same("POST", "runs/search", {"experiment_ids": [experiment_id], "max_results": 100, **order})


def fill(asked: str) -> Work:
    """So many runs in an experiment, each with params, metrics and tags."""
    experiment_id, _, runs = asked.partition(":")
    for number in range(int(runs)):
        begun = {"experiment_id": experiment_id, "run_name": f"run-{number}", "start_time": 1_700_000_000_000 + number}
        created = json.loads((yield request("POST", "runs/create", begun)))
        yield request("POST", "runs/log-batch", {"run_id": created["run"]["info"]["run_id"], **held(number)})


def held(number: int) -> dict[str, Any]:
    """What a run holds; values differ from run to run and from key to key."""
    share = [number * (7919 + key) % 10_007 / 10_007 for key in range(METRICS)]
    metrics = [
        {"key": f"m{key}", "value": value, "timestamp": 1_700_000_000_000, "step": 0} for key, value in enumerate(share)
    ]
    params = [{"key": f"p{key}", "value": f"value-{number % 1000}"} for key in range(PARAMS)]
    return {"metrics": metrics, "params": params, "tags": [{"key": "team", "value": "abcd"[number % 4]}]}


JOBS: dict[str, Callable[[str], Work]] = {
    "log_metric": log_metric,
    "log_batch": log_batch,
    "get": get,
    "search": search,
    "best": best,
    "fill": fill,
}


def main(port: str, job: str, seconds: str, before: str, *about: str) -> None:
    """Do one job and print one JSON object."""
    connections = [Connection(int(port), JOBS[job](each)) for each in about]
    gc.disable()
    if float(before):
        drive(connections, time.perf_counter() + float(before))
    early = refusals(connections)
    start = time.perf_counter()
    taken = drive(connections, start + float(seconds) if float(seconds) else float("inf"))
    lasted = time.perf_counter() - start
    ranked = sorted(taken)
    found = {
        "requests": len(taken),
        "rate": (len(taken) - refusals(connections) + early) / lasted,
        "middle": ranked[len(ranked) // 2],
        "p99": ranked[len(ranked) * 99 // 100],
        "sent": [each.sent for each in connections],
        "refused": [each.refused for each in connections],
        "refusal": next((each.refusal for each in connections if each.refused), ""),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
