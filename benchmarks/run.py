"""Measures dovetail beside a peer and prints one table.

python benchmarks/run.py --peer mlflow==3.17.2
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

from machine import describe
from peers import Peer, Shelf, default_cache
from table import render
from workload import Measured, Workload, measure, repetitions

WORKLOADS = (
    "import_time",
    "script",
    "cli_help",
    "install_size",
    "first_touch",
    "client_calls",
    "log_calls",
    "search",
    "registry",
    "histories",
    "serving",
    "client_server",
    "artifact_proxy",
)


def main() -> int:
    """Build what is missing, measure, report."""
    options = _options()
    shelf = Shelf(options.cache, options.base, options.fresh)
    workloads = [_workload(name) for name in options.only or WORKLOADS]
    others = [shelf.package(each) for each in options.peer]
    own = {each.name: shelf.dovetail(whole=each.whole, beside=each.beside) for each in workloads}
    peers = [*own.values(), *others]
    before = describe()
    results = [_measured(each, [own[each.name], *others], options.repeat) for each in workloads]
    report = render(results, [before, describe()])
    print(report.text)
    if options.json:
        data = {**report.data, "peers": {peer.name: peer.version() for peer in peers}}
        options.json.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    failed = any(column.failure for columns in results for column in columns)
    missed = any(figure["verdict"] == "not met" for one in report.data["workloads"] for figure in one["figures"])
    return int(failed or (options.check and missed))


def _workload(name: str) -> Workload:
    workload: Workload = import_module(name).WORKLOAD
    return workload


def _measured(workload: Workload, peers: list[Peer], repeat: int | None) -> list[Measured]:
    print(f"{workload.name}: {' and '.join(peer.name for peer in peers)}", file=sys.stderr)
    return measure(workload, peers, repeat)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description="Measure dovetail beside a peer.")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        help="requirement of a peer, such as mlflow==3.17.2; repeatable, without it dovetail alone",
    )
    parser.add_argument("--only", action="append", choices=WORKLOADS, help="only this workload; repeatable")
    parser.add_argument("--repeat", type=repetitions, help="repetitions of every workload (default: each its own)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to FILE, too")
    parser.add_argument("--check", action="store_true", help="end with status 1 if a goal is not met")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where environments are kept")
    parser.add_argument("--base", default=sys.executable, help="interpreter that environments are made from")
    parser.add_argument("--fresh", action="store_true", help="build the environments anew")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
