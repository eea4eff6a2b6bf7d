"""Datasets for people: a table of many, the facts of one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from dovetail.cli import dataset_texts, output

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dovetail.cli.dataset_uses import Use, UsedDataset

__all__ = ["list_datasets", "show_dataset"]

SHOWN_DIGEST = 12
SHOWN_RUN = 8
SHOWN_USES = 20
EMPTY = "No datasets. Note what a run uses with `log_input`."


def list_datasets(datasets: Sequence[UsedDataset], names: Mapping[str, str]) -> None:
    """Print a table of datasets.

    Args:
        datasets: The datasets.
        names: Names of experiments by their ids.
    """
    columns = ["Name", "Digest", "Source", "Used for", ">Runs", "Last used", "Profile", "Schema", "Experiment"]
    output.table(columns, [_row(each, names) for each in datasets], empty=EMPTY)


def _row(each: UsedDataset, names: Mapping[str, str]) -> list[str]:
    data = each.dataset
    # `show` takes the beginning of a digest.
    digest = data.digest[:SHOWN_DIGEST] if sys.stdout.isatty() else data.digest
    use = [", ".join(each.contexts) or "-", str(len(each.uses)), output.ago(each.last_used)]
    described = [dataset_texts.shortened_figures(data), dataset_texts.shortened_columns(data)]
    return [data.name, digest, data.source_type, *use, *described, names[each.experiment_id]]


def show_dataset(used: UsedDataset, experiment: str) -> None:
    """Print a dataset: where it came from, what it holds, and which runs used it."""
    data = used.dataset
    output.fact("dataset", data.name)
    output.fact("digest", data.digest)
    output.fact("experiment", f"{used.experiment_id} ({experiment})")
    output.fact("source type", data.source_type)
    output.fact("source", dataset_texts.source(data))
    for name, value in dataset_texts.figures(data):
        output.fact(name, value)
    if columns := dataset_texts.columns(data):
        typer.echo()
        output.table(["Column", "Type"], [[name, kind] for name, kind in columns], empty="")
    typer.echo()
    output.table(["Run", "Name", "Status", "Started", "Used for"], map(_use, used.uses[:SHOWN_USES]), empty="")
    if len(used.uses) > SHOWN_USES:
        typer.echo(output.styled(f"… and {len(used.uses) - SHOWN_USES} earlier runs; --json has them all.", dim=True))
    typer.echo()
    output.next_steps((f"runs show {used.uses[0].run.info.run_id}", "the run that used it last"))


def _use(use: Use) -> list[str]:
    info = use.run.info
    shown = info.run_id[:SHOWN_RUN] if sys.stdout.isatty() else info.run_id
    return [shown, info.run_name, info.status, output.ago(info.start_time), use.context or "-"]
