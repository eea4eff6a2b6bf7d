"""``dovetail artifacts``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated

import typer

from dovetail.cli import output
from dovetail.cli.group import GroupApp
from dovetail.cli.run_ids import find_run
from dovetail.errors import DovetailError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["app"]

app = GroupApp("List, upload and download the files of runs.")

RUN = typer.Option("-r", "--run-id", help="The run's id, or the beginning of it.")
PATH = typer.Option("-a", "--artifact-path", help="A folder or file among its artifacts.")


@app.command("list")
def list_artifacts(
    run_id: Annotated[str, RUN],
    artifact_path: Annotated[str | None, PATH] = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """List one folder of a run's artifacts."""
    from dovetail.tracking.client import Client

    run_id = find_run(run_id).info.run_id
    entries = Client().list_artifacts(run_id, artifact_path)
    if json:
        output.json_out([dict(entry.__dict__) for entry in entries])
        return
    rows = [[f"{each.path}/" if each.is_dir else each.path, _size(each.file_size)] for each in entries]
    output.table(["Path", ">Size"], rows, empty=f"Nothing under {artifact_path or 'the root'} of run {run_id}.")
    folders = [each.path for each in entries if each.is_dir]
    if folders and sys.stdout.isatty():
        typer.echo()
        output.next_steps((f"dovetail artifacts list -r {run_id} -a {folders[0]}", "what is in a folder"))


def _size(size: int | None) -> str:
    if size is None:
        return ""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":  # noqa: PLR2004
            return f"{int(amount)} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""


@app.command()
def download(
    run_id: Annotated[str | None, RUN] = None,
    artifact_uri: Annotated[
        str | None, typer.Option("-u", "--artifact-uri", help="Any location, such as runs:/RUN_ID/path; instead of -r.")
    ] = None,
    artifact_path: Annotated[str, PATH] = "",
    dst_path: Annotated[Path | None, typer.Option("-d", "--dst-path", help="The folder to put it in.")] = None,
) -> None:
    """Bring an artifact to this machine and print its path."""
    if (run_id is None) == (artifact_uri is None):
        raise typer.BadParameter("Give either -r RUN_ID or -u URI.")
    typer.echo(_from_run(run_id, artifact_path, dst_path) if run_id else _from_uri(str(artifact_uri), dst_path))


def _from_run(run_id: str, artifact_path: str, destination: Path | None) -> str:
    from dovetail.tracking.client import Client

    return Client().download_artifacts(find_run(run_id).info.run_id, artifact_path, destination)


def _from_uri(uri: str, destination: Path | None) -> str:
    from dovetail import locations
    from dovetail.artifacts import transfer

    return str(transfer.download(*locations.locate(uri), destination))


@app.command("log-artifact")
def log_artifact(
    local_file: Annotated[Path, typer.Option("-l", "--local-file", help="The file.")],
    run_id: Annotated[str, RUN],
    artifact_path: Annotated[str | None, PATH] = None,
) -> None:
    """Upload a file to a run."""
    from dovetail.tracking.client import Client

    run_id = find_run(run_id).info.run_id
    with _uploading(local_file):
        Client().log_artifact(run_id, local_file, artifact_path)
    typer.echo(f"Uploaded {local_file} to run {run_id}.")


@app.command("log-artifacts")
def log_artifacts(
    local_dir: Annotated[Path, typer.Option("-l", "--local-dir", help="The folder.")],
    run_id: Annotated[str, RUN],
    artifact_path: Annotated[str | None, PATH] = None,
) -> None:
    """Upload what is in a folder to a run."""
    from dovetail.tracking.client import Client

    run_id = find_run(run_id).info.run_id
    with _uploading(local_dir):
        Client().log_artifacts(run_id, local_dir, artifact_path)
    typer.echo(f"Uploaded what is in {local_dir} to run {run_id}.")


@contextmanager
def _uploading(path: Path) -> Iterator[None]:
    """A file that may not be read, or that cannot be as some below /proc, is an error about that file."""
    try:
        yield
    except OSError as error:
        name = path if error.filename is None else error.filename
        raise DovetailError(f"{name} cannot be uploaded: {error.strerror or error}.") from error
