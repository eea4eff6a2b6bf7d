"""The entry of the command line, and the only place that turns errors into a line and an exit code."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

INTERRUPTED, TERMINATED = 130, 143


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 well, 1 a run or model failed, 2 wrong input or usage, the others as in ``dovetail.errors``,
    130 interrupted, 143 terminated.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given in (["--version"], ["-V"]):
        # Answered before anything is imported.
        from dovetail import __version__

        print(f"dovetail {__version__}")  # noqa: T201 - the answer
        raise SystemExit(0)
    raise SystemExit(_run(given or ["--help"]))


def _run(arguments: list[str]) -> int:
    from dovetail.cli.app import run_app
    from dovetail.errors import DovetailError

    try:
        try:
            run_app(arguments)
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except DovetailError as error:
        _complain(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt as error:
        return _interrupted(error)
    except BrokenPipeError:
        # The reader of our output went away (`dovetail runs list | head`): that is no fault of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _interrupted(error: KeyboardInterrupt) -> int:
    from dovetail.projects.termination import Terminated

    terminated = isinstance(error, Terminated)
    _complain("Terminated." if terminated else "Interrupted.", None)
    return TERMINATED if terminated else INTERRUPTED


def _complain(message: str, hint: str | None) -> None:
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    start, dim, end = ("\033[31mError:\033[0m", "\033[2m", "\033[0m") if colour else ("Error:", "", "")
    sys.stderr.write(f"{start} {message}\n" + (f"{dim}  {hint}{end}\n" if hint else ""))
