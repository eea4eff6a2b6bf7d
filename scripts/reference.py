"""Write the reference pages that restate code: hooks from the hook specifications, settings from their table.

Run ``python scripts/reference.py`` after changing either; a test fails while a page is stale.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dovetail import hookspecs, settings
from dovetail.plugins import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES = Path(__file__).parents[1] / "docs" / "reference"

HOOKS_INTRO = """# Hooks

A plugin implements hooks with `dovetail.hookimpl` and leaves out the arguments it has no use for. Written from
`core/dovetail/hookspecs.py` by `scripts/reference.py`.

Named things come back as a mapping from key to factory, and are found by an entry point of that name: only the plugin
that claims a key is imported. Questions go round until somebody answers. News goes to everyone; plugins that want them,
or that answer questions, have an entry point in the group `dovetail.hooks`.
"""

SETTINGS_INTRO = """# Settings

What holds, strongest first:

1. an argument or a call, such as `set_tracking_uri`;
2. the environment variable, or else MLflow's;
3. the same variables in a `.env` file: only those of this table are read, nothing is put into the environment, and
   `${…}` is not filled in;
4. `dovetail.toml`, or `[tool.dovetail]` in `pyproject.toml`;
5. the default.

Files are looked for from the working folder upwards, and the nearest one that sets something counts. The search ends
at the folder of a `dovetail.toml` (or such a `pyproject.toml`), at the root of a repository and at the home folder.
Locations in a file are relative to its folder, others to the working folder. Written from
`core/dovetail/settings.py` by `scripts/reference.py`.

| setting | variable | MLflow's | default | what it does |
| --- | --- | --- | --- | --- |
"""


def hooks_page() -> str:
    """Every hook with its arguments, shape and meaning."""
    lines = [HOOKS_INTRO]
    for name, hook in sorted(specifications().items()):
        arguments = ", ".join(inspect.signature(hook).parameters)
        lines.append(f"## `{name}({arguments})`\n\n{inspect.getdoc(hook)}\n\n{shape(name, hook)}\n")
    return "\n".join(lines)


def specifications() -> dict[str, Callable[..., object]]:
    """The hook specifications by name."""
    return {name: each for name, each in vars(hookspecs).items() if name.startswith("dovetail_")}


def shape(name: str, hook: Callable[..., object]) -> str:
    """How a hook is called."""
    kind = KINDS.get(name.removeprefix("dovetail_"))
    if kind is not None:
        return f"Named: a mapping; entry-point group `{kind.group}`."
    first = getattr(hook, "dovetail_spec", {}).get("firstresult")
    return "Question: the first answer that is not None holds." if first else "Everyone is called."


def settings_page() -> str:
    """Every setting with its variables, default and meaning."""
    return SETTINGS_INTRO + "".join(setting_row(each) for each in settings.SETTINGS.values())


def setting_row(setting: settings.Setting) -> str:
    """One line of the table."""
    twin = f"`{setting.twin}`" if setting.twin else ""
    return f"| `{setting.name}` | `{setting.variable}` | {twin} | `{setting.default}` | {setting.text} |\n"


def main() -> int:
    """Write the pages, or with ``--check`` say which are stale."""
    pages = {PAGES / "hooks.md": hooks_page(), PAGES / "settings.md": settings_page()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"stale: {path}")
        return bool(stale)
    for path, text in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
