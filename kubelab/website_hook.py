"""What MkDocs calls while it builds the site: pages and navigation come from the course itself.

Each edition is a site of its own to MkDocs, with a configuration in its language. The English one
builds the Chinese one into itself at its end, so that both are built, checked and shown together.
"""

from __future__ import annotations

import json
import logging
import posixpath
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from kubelab import diagrams, labs, pages
from kubelab.pages import CHINESE, EDITIONS, ENGLISH, Edition
from kubelab.search_index import searchable
from kubelab.site import ROOT

# A warning here ends a strict build, as MkDocs' own do.
LOG = logging.getLogger("mkdocs.kubelab")
DOCUMENTS = ROOT / "docs"
# Material's script asks for a site map beside each of these, and gets 404 for most. What else
# reads them wants whole addresses.
ALTERNATE = re.compile(r'\s*<link rel="alternate"[^>]*>')


def on_config(config: Any) -> Any:
    """Give the site its navigation, and the language switch of what is no page of it (404)."""
    labs.load.cache_clear()  # `--serve` builds again when a file has changed
    known.cache_clear()
    config.nav = pages.navigation(ROOT, edition(config))
    config.extra["alternate"] = pages.switch(edition(config), "index.md", known())
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made, with their diagrams, and the style that editions share."""
    from mkdocs.structure.files import File

    for page in pages.every(ROOT, edition(config)):
        files.append(File.generated(config, page.place, content=page.text))
        for place, source in page.diagrams.items():
            files.append(File.generated(config, place, content=diagrams.drawn(source)))
    if files.get_file_from_path("site.css") is None:
        style = File.generated(config, "site.css", abs_src_path=str(DOCUMENTS / "site.css"))
        files.append(style)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Let links lead to English documents, and complain of those that lead nowhere."""
    place = page.file.src_uri
    text, lost = pages.outward(markdown, place, known()[ENGLISH.language])
    for target in lost:
        LOG.warning("%s%s links %s, which is not there.", edition(config).folder, place, target)
    return text


def on_env(env: Any, config: Any, files: Any) -> Any:
    """Let the language switch lead out of an edition, where MkDocs' own filter loses its way."""
    from jinja2 import pass_context

    inside = env.filters["url"]

    @pass_context
    def url(context: Any, value: Any) -> Any:
        leaves = str(value).startswith("../")
        return posixpath.join(context["base_url"], value) if leaves else inside(context, value)

    env.filters["url"] = url
    return env


def on_page_context(context: Any, page: Any, config: Any, nav: Any) -> Any:
    """Let the language switch lead to the same page."""
    config.extra["alternate"] = pages.switch(edition(config), page.file.src_uri, known())
    return context


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Take out what no reader sees and nothing here can use."""
    return ALTERNATE.sub("", output)


def on_post_build(config: Any) -> None:
    """Build the Chinese edition into the English one; let its words be found."""
    if edition(config) is ENGLISH:
        build_inside(config, CHINESE)
    else:
        file = Path(config.site_dir) / "search" / "search_index.json"
        index = searchable(json.loads(file.read_text(encoding="utf-8")))
        file.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")


def build_inside(config: Any, inner: Edition) -> None:
    """Build an edition into the folder of another one, as strictly as that one."""
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    ours = load_config(
        str(ROOT / f"mkdocs.{inner.language}.yml"),
        site_dir=str(Path(config.site_dir) / inner.folder),
        site_url=config.site_url and posixpath.join(config.site_url, inner.folder),
        strict=config.strict,
    )
    ours.plugins.on_startup(command="build", dirty=False)
    build(ours)


def edition(config: Any) -> Edition:
    """The edition that is built: the one in the language of the theme."""
    return EDITIONS[config.theme["language"]]


@cache
def known() -> dict[str, Collection[str]]:
    """The pages of each edition: those that are made, and the documents."""
    return {
        code: {
            *(page.place for page in pages.every(ROOT, one)),
            *(path.name for path in (DOCUMENTS / one.folder).glob("*.md")),
        }
        for code, one in EDITIONS.items()
    }
