"""Build the site with the course's text, to be read without a cluster: into .kubelab/site.

English is at its start, Chinese in zh/; each page leads to the same one in the other language.
Its packages stand in an environment of their own, made once. Everything is checked: a broken link
ends it.
"""

from __future__ import annotations

import argparse

from kubelab.site import here

EXAMPLES = [
    "./lab docs",
    "./lab docs --serve    shows both languages on loopback, and follows changes",
]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--serve", action="store_true", help="show both languages until Ctrl-C")


def run(chosen: argparse.Namespace) -> int:
    """Build it, or show it."""
    from kubelab import website

    site = here()
    if chosen.serve:
        website.serve(site)
    else:
        print(website.build(site))
    return 0
