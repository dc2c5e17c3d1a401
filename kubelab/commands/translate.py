"""What of a lab is missing or outdated in Chinese: its text, its notebook, the course's words.

--begin makes what is missing, in English, for a translator to write over. --accept notes that
every piece now says what its English says today.
"""

from __future__ import annotations

import argparse

from kubelab.site import here

EXAMPLES = [
    "./lab translate               what is missing or outdated, in all labs",
    "./lab translate 05 --begin    the files of lab 05, to be translated",
    "./lab translate 05 --accept   all pieces say what their English says",
]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The lab and the options."""
    parser.add_argument("lab", nargs="?", metavar="NN", help="the lab: 2, 02 or 02-pods")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--begin", action="store_true", help="make the missing files, in English")
    how.add_argument("--accept", action="store_true", help="note what the pieces were made from")


def run(chosen: argparse.Namespace) -> int:
    """Do it and say what is left; exit code 1 where something is."""
    from kubelab import labs, translation
    from kubelab.errors import UsageError
    from kubelab.jupyter_files import INDEX

    root = here().root
    if (chosen.begin or chosen.accept) and not chosen.lab:
        raise UsageError("Name the lab to translate.", look="./lab translate 05 --begin")
    several = [labs.find(root, chosen.lab)] if chosen.lab else list(labs.every(root))
    if chosen.begin:
        for path in translation.begin(root, several[0]):
            print(f"made      {path.relative_to(root)}")
    if chosen.accept:
        pieces = [*translation.accept(root, several[0])]
        # The start page belongs to no lab, and to each.
        pieces += translation.accepted_notebook(root, INDEX)
        print("\n".join(f"accepted  {piece}" for piece in pieces))
    left = [one for lab in several for one in translation.problems(root, lab)]
    if not chosen.lab:
        left += [*translation.notebook_problems(root, INDEX), *translation.word_problems(root)]
    print("\n".join(left) or "Nothing is missing or outdated.")
    return 1 if left else 0
