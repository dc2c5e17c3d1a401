"""The search of the Chinese site: words that stand within a run of signs are found, too.

Material's search finds what a word begins with. Chinese has no spaces, and knowing its words would
take a dictionary. So each section gets a field that nobody sees, with what begins at each sign.
"""

from __future__ import annotations

import re
from typing import Any

HAN = re.compile(r"[\u4e00-\u9fff]+")
# The longest query that is found within a run of signs; a longer one has to begin the run.
LONGEST = 6
# Ends a run of signs, unseen. Material cuts a query into the words that it finds in the index, and
# loses its last sign then: with an end, no word in the index is a part of a query.
END = "\u2060"


def searchable(index: dict[str, Any]) -> dict[str, Any]:
    """MkDocs' search index with the Chinese words of each section."""
    index["config"]["fields"]["words"] = {"boost": 1.0}
    for section in index["docs"]:
        section["words"] = words(f"{section['title']} {section['text']}")
        section["title"] = ended(section["title"])
        section["text"] = ended(section["text"])
    return index


def words(text: str) -> str:
    """What begins at each Chinese sign of a text, once."""
    runs = HAN.findall(text)
    several = (run[at : at + LONGEST] + END for run in runs for at in range(len(run)))
    return " ".join(dict.fromkeys(several))


def ended(text: str) -> str:
    """A text with the end of each run of Chinese signs marked."""
    return HAN.sub(lambda run: run[0] + END, text)
