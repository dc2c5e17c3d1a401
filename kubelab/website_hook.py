"""What MkDocs calls while it builds the site: pages and navigation come from the course itself."""

from __future__ import annotations

from typing import Any

from kubelab import pages
from kubelab.site import ROOT


def on_config(config: Any) -> Any:
    """Give the site its navigation."""
    config.nav = pages.navigation(ROOT)
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made, and draw their diagrams."""
    import mermaidx
    from mkdocs.structure.files import File

    for page in pages.every(ROOT):
        files.append(File.generated(config, page.place, content=page.text))
        for place, source in page.diagrams.items():
            picture = mermaidx.render(source).svg()
            files.append(File.generated(config, place, content=picture))
    return files
