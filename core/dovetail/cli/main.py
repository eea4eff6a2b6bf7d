"""The entry of the command line, and the only place that turns errors into a line and an exit code."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import UnsupportedOperation

from dovetail.cli import interruption

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 well, 1 a run or model failed, 2 wrong input or usage, the others as in ``dovetail.errors``,
    129 the terminal was closed, 130 interrupted, 143 terminated.
    """
    # Before anything heavier is imported: a signal that comes meanwhile must be answered too.
    with interruption.at_once():
        code = _run(sys.argv[1:] if arguments is None else arguments)
    raise SystemExit(code)


def _run(arguments: list[str]) -> int:
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open until the process ends
    if sys.stdout is None:
        # The next file that is opened, a database perhaps, would take its place and be written to.
        _complain("Standard output is closed.", "Send it to /dev/null if nobody is to read it.")
        return 1
    try:
        try:
            _dispatch(arguments)
        finally:
            sys.stdout.flush()
    except SystemExit as end:
        if isinstance(end, KeyboardInterrupt):  # a signal asked for it
            return _ended_by(end)
        return end.code if isinstance(end.code, int) else 0
    except BaseException as error:  # noqa: BLE001 - raised again unless there is a line for it
        return _ended_by(error)
    return 0


def _dispatch(arguments: list[str]) -> None:
    if arguments in (["--version"], ["-V"]):
        # Answered before anything is imported.
        from dovetail import __version__

        print(f"dovetail {__version__}")  # noqa: T201 - the answer
        return
    from dovetail.cli.app import run_app

    if "_DOVETAIL_COMPLETE" in os.environ:  # a shell asks on behalf of somebody who is typing
        from dovetail.cli.completion import quietly

        with quietly():
            run_app([])
        return
    run_app(arguments or ["--help"])


def _ended_by(error: BaseException) -> int:
    """Say in a line what ended the command, and answer with the exit code; bugs are raised as they are."""
    from dovetail.documents import shown
    from dovetail.errors import DovetailError

    if isinstance(error, DovetailError):
        _complain(error.message, error.hint)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return _interrupted(error)
    if isinstance(error, OSError):
        return _failed(error)
    if isinstance(error, UnicodeError):
        text = getattr(error, "object", "")
        _complain(
            f"{shown(text)} is no text that can be read or written: {error}.", "Check names, paths and locations."
        )
        return 1
    raise error


def _interrupted(error: KeyboardInterrupt) -> int:
    import signal

    number = signal.Signals(getattr(error, "number", signal.SIGINT))
    _complain(interruption.WORDS[number.name], None)
    return 128 + number


def _failed(error: OSError) -> int:
    """The operating system refused something that no part of ours expected it to."""
    if error.filename is None:
        # Perhaps it was standard output that took no more; Python would try once more at its end.
        with suppress(UnsupportedOperation):  # a caller gave it another output
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        # The reader of our output went away (`dovetail runs list | head`): that is no fault of ours.
        return 0
    reason = (error.strerror or str(error) or type(error).__name__).rstrip(".")
    _complain(f"{reason}." if error.filename is None else f"{error.filename}: {reason}.", None)
    return 1


def _complain(message: str, hint: str | None) -> None:
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    start, dim, end = ("\033[31mError:\033[0m", "\033[2m", "\033[0m") if colour else ("Error:", "", "")
    sys.stderr.write(f"{start} {_harmless(message)}\n" + (f"{dim}  {_harmless(hint)}{end}\n" if hint else ""))


def _harmless(text: str) -> str:
    """What others wrote, such as a project, can do nothing to the terminal; lines stay lines."""
    from dovetail.cli.styling import one_line

    return "\n".join(map(one_line, text.split("\n")))
