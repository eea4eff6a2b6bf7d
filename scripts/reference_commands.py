"""The reference page of the command line, from the commands themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRO = """# Command line

Every command answers `--help`. Commands for machines take `--json`. Messages, warnings and progress go to standard
error, answers to standard output.

"""

EXIT_CODES = """## Exit codes

| code | meaning |
| --- | --- |
"""

# What ends a command without being an error of ours.
OTHER_ENDS = {
    0: "Everything went well.",
    129: "The terminal was closed.",
    130: "Interrupted, as by Ctrl-C.",
    143: "Terminated, as by `kill`.",
}


def page() -> str:
    """Every command with its arguments and options, then the exit codes."""
    import typer

    from dovetail.cli.app import app

    root = typer.main.get_command(app)
    context = root.make_context("dovetail", [], resilient_parsing=True)
    return INTRO + "".join(sections(root, context)) + EXIT_CODES + "".join(exit_rows())


def sections(command: Any, context: Any) -> Iterator[str]:
    """A command, then the commands below it."""
    yield section(command, context)
    if not hasattr(command, "list_commands"):
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        if not child.hidden:
            yield from sections(child, type(context)(child, info_name=name, parent=context))


def section(command: Any, context: Any) -> str:
    """A heading, how it is called, what it does and what it takes."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    rows = "".join(rows_of(command, context))
    table = f"| argument or option | meaning |\n| --- | --- |\n{rows}\n" if rows else ""
    text = (command.help or "").strip()
    heading = "###" if context.command_path.count(" ") > 1 else "##"
    return f"{heading} `{context.command_path}`\n\n```text\n{usage}\n```\n\n{text}\n\n{table}"


def rows_of(command: Any, context: Any) -> Iterator[str]:
    """One line for each argument and option; ``--help`` goes without saying."""
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and parameter.name != "help":
            name, text = (cell.replace("|", "\\|") for cell in record)
            yield f"| `{name}` | {text} |\n"


def exit_rows() -> Iterator[str]:
    """One line for each exit code."""
    codes = {**OTHER_ENDS, **{code: " ".join(texts) for code, texts in sorted(error_codes().items())}}
    for code, text in sorted(codes.items()):
        yield f"| {code} | {text} |\n"


def error_codes() -> dict[int, list[str]]:
    """Exit code -> what it stands for, from the errors that set it."""
    codes: dict[int, list[str]] = {1: ["The run or the model failed, or another error stopped the command."]}
    for each in errors.DovetailError.__subclasses__():
        if "exit_code" in vars(each):
            codes.setdefault(each.exit_code, []).append(str(each.__doc__).splitlines()[0])
    codes[errors.InvalidInput.exit_code].append("Also: the command was called wrongly.")
    return codes
