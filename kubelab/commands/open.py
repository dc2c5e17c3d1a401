"""Open the course's notebooks in JupyterLab, on your own copies in work/.

A JupyterLab that runs is found again. It listens on loopback alone, behind a token, and goes on
when this terminal is closed; `./lab down` stops it.
"""

from __future__ import annotations

import argparse

from kubelab.site import here
from kubelab.words import said

EXAMPLES = ["./lab open", "./lab open 02    the notebook of lab 02"]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("lab", nargs="?", metavar="NN", help="the lab whose notebook to open")


def run(chosen: argparse.Namespace) -> int:
    """Start or find JupyterLab, print its address, open a browser where there is one."""
    from kubelab import jupyter, labs

    site = here()
    notebook = labs.find(site.root, chosen.lab).notebook.name if chosen.lab else None
    info = jupyter.start(site, notebook)
    print(info.url, flush=True)
    if not jupyter.open_browser(info.url):
        print(said("No browser to open here: paste the address into yours."))
    return 0
