"""What mkdocs does beyond its configuration: pages rendered from code, and a look at what the site loads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reference
import reference_commands
import reference_tables
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Callable

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

# Page -> what renders it. The first two also lie in the repository, for readers of a checkout.
PAGES: dict[str, Callable[[], str]] = {
    "reference/hooks.md": reference.hooks_page,
    "reference/settings.md": reference.settings_page,
    "reference/command-line.md": reference_commands.page,
    "reference/errors.md": reference_tables.errors_page,
    "reference/search-filters.md": reference_tables.filters_page,
    "reference/plugins.md": reference_tables.plugins_page,
    "reference/verbs.md": reference_tables.verbs_page,
}
# What a page would fetch from elsewhere by itself; links are followed by readers only.
_LOADED = re.compile(r'<(?:script|img|iframe|source|link(?= [^>]*stylesheet))[^>]* (?:src|href)="(?:https?:)?//[^"]+')


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put the rendered pages beside the written ones, over a copy of theirs that may be stale."""
    for name, render in PAGES.items():
        if existing := files.get_file_from_path(name):
            files.remove(existing)
        files.append(File.generated(config, name, content=render()))
    return files


def on_post_build(config: MkDocsConfig, **kwargs: Any) -> None:
    """Refuse a site that loads anything from elsewhere."""
    del kwargs
    for page in Path(config.site_dir).rglob("*.html"):
        if found := _LOADED.search(page.read_text(encoding="utf-8")):
            raise PluginError(f"{page} loads something from elsewhere: {found[0]}")
