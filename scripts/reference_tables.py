"""Reference pages that are tables and lists in the code: errors, search filters, verbs; and the plugins' own pages."""

from __future__ import annotations

import inspect
import re
import textwrap
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from griffe_markdown import markdown

import dovetail
from dovetail import errors
from dovetail.tracking import filters
from dovetail.tracking.filter_vocabulary import ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.tracking.filter_vocabulary import Family, Field

ERRORS = """# Errors

Every error that dovetail raises on purpose is a `dovetail.errors.DovetailError`. Its `message` says what is wrong and
where, its `hint` what to do next. Scripts written for MLflow catch the same class as `MlflowException`.

The status and the error code are what a server answers with; the exit code is what the command line ends with.

| class | when | status | error code | exit code |
| --- | --- | --- | --- | --- |
"""

FILTERS = """# Search filters

The text that all searches take: of runs, experiments, registered models, their versions and logged models, in Python
as on the command line. For examples see [how to search runs](../how-to/search-runs.md).

## Grammar

"""

MEANING = """## Meaning

"""

LIKE = """### LIKE and ILIKE: `like`

"""

NUMBERS = """### Params as numbers: `param_number`

"""

LIMITS = """## Limits

| limit | value |
| --- | --- |
"""

VERBS = """# Verbs

What `import dovetail` gives. Verbs work on the active run, the chosen experiment and the tracking place in force; the
[client](client.md) does the same by id. Nothing is imported before it is used.

`dovetail.<flavor>`, such as `dovetail.sklearn`, has `save_model`, `log_model` and `load_model` for each installed
flavor: see [how to save and use models](../how-to/save-and-use-models.md).

"""

PLUGINS = """# Plugins

What comes with dovetail, one distribution each: what it does, what it promises, how it is set up.

"""

ROOT = Path(__file__).parents[1]
# Names that have a page of their own.
ELSEWHERE = {"Client", "MlflowClient"}
# Module -> heading, in the order of the page. Modules that are not here come before the last three, each under the
# first line of its docstring.
HEADINGS = {
    "dovetail.tracking.runs": "Runs",
    "dovetail.tracking.measures": "Params, metrics and tags",
    "dovetail.tracking.artifacts": "Artifacts",
    "dovetail.tracking.search": "Searching runs",
    "dovetail.tracking.experiments": "Experiments",
    "dovetail.tracking.places": "Where runs go",
    "dovetail.models.saving": "Models",
    "dovetail.projects.launch": "Projects",
    "dovetail.values": "Values",
    "dovetail.errors": "Errors",
    "dovetail.hookspecs": "For plugins",
}
LAST = ("dovetail.values", "dovetail.errors", "dovetail.hookspecs")


def errors_page() -> str:
    """Every class of error, each below its base."""
    return ERRORS + "".join(error_rows(errors.DovetailError, 0))


def error_rows(kind: type[errors.DovetailError], depth: int) -> Iterator[str]:
    """A class, then the classes below it."""
    place = "&nbsp;" * 4 * depth
    text = str(kind.__doc__).splitlines()[0]
    yield f"| {place}`{kind.__name__}` | {text} | {kind.status} | `{kind.error_code}` | {kind.exit_code} |\n"
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from error_rows(below, depth + 1)


def filters_page() -> str:
    """The grammar, what may be named, what it means, and the limits."""
    return (
        FILTERS
        + grammar()
        + "".join(entity_table(name, families) for name, families in ENTITIES.items())
        + MEANING
        + meaning(filters.matches)
        + LIKE
        + meaning(filters.like)
        + NUMBERS
        + meaning(filters.param_number)
        + LIMITS
        + "".join(limit_rows())
    )


def grammar() -> str:
    """The middle of the module's docstring; its first line is a title, and what it ends with has tables here."""
    text = inspect.cleandoc(str(filters.__doc__)).partition("::")[2].partition("Which identifiers there are")[0]
    return markdown(f"::{text}").removeprefix(":").strip() + "\n\n"


def meaning(function: object) -> str:
    """What a function's docstring says."""
    return markdown(str(inspect.getdoc(function))) + "\n\n"


def entity_table(name: str, families: tuple[Family, ...]) -> str:
    """What can be searched on one entity."""
    rows = "".join(row for family in families for row in family_rows(family))
    head = "| identifier | with text | with a number | order by |\n| --- | --- | --- | --- |\n"
    return f"## {name.replace('_', ' ').capitalize()}\n\n{head}{rows}\n"


def family_rows(family: Family) -> Iterator[str]:
    """A line for each fixed key, and one for the keys that users choose."""
    spelled = " or ".join(f"`{prefix}.`" for prefix in family.prefixes)
    if family.any_key:
        yield field_row(f"`{family.prefixes[0]}.<key>` (prefix {spelled})", family.any_key)
    for key, field in family.keys.items():
        also = "".join(f", `{alias}`" for alias, target in family.aliases.items() if target == key)
        shown = f"`{key}`" if family.bare else f"`{family.prefixes[0]}.{key}`"
        yield field_row(f"{shown}{also}", field)


def field_row(name: str, field: Field) -> str:
    """One line of the table."""
    text = " ".join(f"`{each}`" for each in (*field.text, *field.presence))
    number = " ".join(f"`{each}`" for each in field.number)
    return f"| {name} | {text} | {number} | {'yes' if field.sortable else 'no'} |\n"


def limit_rows() -> Iterator[str]:
    """A line for each bound on a filter's size."""
    limits = {
        "characters in a filter": filters.MAX_LENGTH,
        "comparisons, and numbers in lists": filters.MAX_TERMS,
        "parentheses and NOTs inside each other": filters.MAX_DEPTH,
        "characters of LIKE patterns": filters.MAX_PATTERNS,
        "keys to order by": filters.MAX_ORDER_KEYS,
        "datasets that logged models are searched on": filters.MAX_DATASETS,
        "columns": filters.MAX_COLUMNS,
    }
    for name, limit in limits.items():
        yield f"| {name} | {limit} |\n"


def verbs_page() -> str:
    """Every public name, below the module it comes from."""
    homes = dovetail._HOMES  # noqa: SLF001 - the only list of what is public and where it comes from
    known = [module for module in HEADINGS if module not in LAST]
    others = [module for module in homes if module not in HEADINGS]
    return VERBS + "".join(verbs_of(module, homes.get(module, ())) for module in (*known, *others, *LAST))


def verbs_of(module: str, names: tuple[str, ...]) -> str:
    """The public names of one module."""
    title = HEADINGS.get(module) or str(import_module(module).__doc__).splitlines()[0].rstrip(".")
    entries = "".join(entry(module, name) for name in names if name not in ELSEWHERE)
    return f"## {title}\n\n{entries}" if entries else ""


def entry(module: str, name: str) -> str:
    """A name for mkdocstrings to document, as users write it."""
    options = f"heading: dovetail.{name}\ntoc_label: {name}\nshow_root_full_path: false\n"
    return f"::: {module}.{name}\n    options:\n{textwrap.indent(options, ' ' * 6)}\n"


def plugins_page() -> str:
    """The README of every plugin of this repository, below one another."""
    pages = sorted(ROOT.glob("plugins/[!_]*/*/README.md"), key=lambda path: path.parent.name)
    return PLUGINS + "\n".join(lowered(page.read_text(encoding="utf-8")) for page in pages)


def lowered(text: str) -> str:
    """A page as a part of another: its headings one level lower, except in blocks of code."""
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else re.sub(r"^#", "##", part, flags=re.MULTILINE) for part in parts)
