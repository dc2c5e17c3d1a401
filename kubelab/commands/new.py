"""Make a new lab: small, whole, with one task that works, and every file that a lab has.

Change it from there, one part after the other; `docs/authors.md` explains them.
"""

from __future__ import annotations

import argparse

from kubelab.site import here

EXAMPLES = [
    "./lab new 20 configuration",
    "./lab new 20 configuration --title 'Configuration and Secrets'",
]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The number and the slug."""
    parser.add_argument("number", metavar="NN", help="two digits that no lab has yet")
    parser.add_argument("slug", help="small letters, digits and -: rolling-updates")
    parser.add_argument("--title", help="the title; the slug where it is left out")


def run(chosen: argparse.Namespace) -> int:
    """Make it and print what was made."""
    from kubelab import scaffold

    site = here()
    files = scaffold.make(site.root, chosen.number, chosen.slug, chosen.title)
    number = chosen.number.zfill(2)
    for path in files[:-1]:
        print(f"made     {path.relative_to(site.root)}")
    print(f"changed  {files[-1].relative_to(site.root)}")
    print("\nThe parts are explained in docs/authors.md. Try it:")
    print(f"  ./lab start {number}    ./lab check {number} --watch    ./lab bank {number}")
    return 0
