"""What the course says, in the reader's language: `said` is asked where words leave the course.

The course thinks, records and exchanges English: results, proofs and JSON are the same in every
language. At the door `said` looks a phrase up. The key of an entry in `zh.yaml` is the phrase as
it stands in the code, `{}` for each value of an f-string, so an f-string's text is found by what
is between its values. What nobody has translated is shown in English.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, lru_cache
from pathlib import Path

from kubelab import language
from kubelab.columns import padded, width
from kubelab.site import ROOT, here

FOLDER = Path(__file__).parent
# Sections whose keys are not in the code as they stand: names of facts, and what is put together.
FREE = ("facts", "joined")
# The section of what is asked for as a whole, and never looked for in a text.
ALONE = "alone"
PLACE = re.compile(r"\{([a-z_]*)\}")
LETTERS = re.compile(r"[A-Za-z]")
# What is pasted: its words are no words.
COMMAND = re.compile(r"\./lab( [\w.-]+)*")
# What stands between facts that are told in one line, and what does so in Chinese.
BETWEEN = re.compile(r"(, |; |: )")
JOINTS = {", ": "，", "; ": "；", ": ": "："}
GAP = re.compile(r" {2,}")
# A phrase of so few letters fits much by chance: its values have to be no other phrases.
SHORT = 7
PROSE = re.compile(r"(?<![\w/.-])[a-z]+(?![\w/.-])")
# Whether a program reads what is said, and nobody's language counts.
FOR_PROGRAMS = ContextVar("FOR_PROGRAMS", default=False)


@contextmanager
def for_programs() -> Iterator[None]:
    """English, whatever the reader's language: what programs read is the same for everybody."""
    before = FOR_PROGRAMS.set(True)
    try:
        yield
    finally:
        FOR_PROGRAMS.reset(before)


def spoken() -> str:
    """The language to speak here and now."""
    return language.ENGLISH if FOR_PROGRAMS.get() else language.current(here())


def said(text: str) -> str:
    """A phrase, a line or several lines, in the language of the reader."""
    chosen = spoken()
    return text if chosen == language.ENGLISH else catalogue(chosen, ROOT).said(text)


def tell(line: str) -> None:
    """Print a line of progress in the language of the reader, on standard error, at once."""
    print(said(line), file=sys.stderr, flush=True)


def template(text: str) -> str:
    """A phrase with its places, for `format`, in the language of the reader."""
    chosen = spoken()
    return text if chosen == language.ENGLISH else sections(chosen)[ALONE][text]


@lru_cache(maxsize=4)
def catalogue(chosen: str, root: Path) -> Catalogue:
    """The words of a language: the course's own, and those of the labs of a checkout."""
    from kubelab import labs, translation

    own: dict[str, str] = {}
    for title, part in sections(chosen).items():
        own |= part if title != ALONE else {}
    for lab in labs.every(root):
        own |= translation.pairs(lab)
    return Catalogue(own, sections(chosen)[ALONE])


def sections(chosen: str) -> dict[str, dict[str, str]]:
    """The sections of a language's file, without the list of what stays as it is."""
    return {key: part for key, part in read(chosen).items() if isinstance(part, dict)}


@lru_cache(maxsize=4)
def read(chosen: str) -> dict[str, dict[str, str] | list[str]]:
    """A language's file."""
    # YAML takes longer to import than most commands to run, and English needs none of it.
    import yaml

    from kubelab.labs import LOADER

    text = (FOLDER / f"{chosen}.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str] | list[str]] = yaml.load(text, Loader=LOADER)
    return found


def held(after: str) -> str:
    """What a place may hold: anything, and a number where seconds or minutes are told."""
    return r"(\d[\d.]*)" if re.match(r" (s|min)\b", after) else "(.*?)"


# How many letters of a text are understood, and what it becomes.
Known = tuple[int, str]


class Phrase:
    """A phrase with places, and what it becomes; `letters` are those between the places."""

    def __init__(self, key: str, words: str) -> None:
        self.key = key
        self.words = words
        parts = PLACE.split(key)
        self._between, self.places = parts[::2], tuple(parts[1::2])
        self.letters = len(LETTERS.findall("".join(self._between)))

    def values(self, text: str) -> tuple[str, ...] | None:
        """The values of a text that has the shape of the phrase; None where it has not."""
        # A catalogue has hundreds of phrases: most are told apart without their expression.
        if not all(part in text for part in self._between):
            return None
        match = self._shape.fullmatch(text)
        return match.groups() if match else None

    @cached_property
    def _shape(self) -> re.Pattern[str]:
        shape = re.escape(self._between[0])
        for after in self._between[1:]:
            shape += held(after) + re.escape(after)
        return re.compile(shape, re.DOTALL)

    def filled(self, values: Iterable[str]) -> str:
        """Its words with the values; a place is found by its name, or by its order."""
        several = list(values)
        named = {name: value for name, value in zip(self.places, several, strict=True) if name}
        return self.words.format(*several, **named)


class Catalogue:
    """The entries of one language."""

    def __init__(self, entries: Mapping[str, str], alone: Mapping[str, str]) -> None:
        self._entries = entries
        self._alone = alone
        self._known: dict[str, Known] = {}
        phrases = [Phrase(key, words) for key, words in entries.items() if PLACE.search(key)]
        # Whoever has more words of its own fits better, and whoever has none fits everything.
        phrases = sorted(
            (one for one in phrases if one.letters),
            key=lambda one: (one.letters, len(one.key)),
            reverse=True,
        )
        self._of_lines = [one for one in phrases if "\n" in one.key]
        self._of_columns = [one for one in phrases if GAP.search(one.key)]
        self._phrases = [one for one in phrases if not GAP.search(one.key)]

    def said(self, text: str) -> str:
        """The text as far as it is known; its lines, its columns and its indent stay."""
        return self._alone.get(text) or self._understood(text)[1]

    def _understood(self, text: str) -> Known:
        """How many letters of a text are understood, and what it becomes."""
        if text not in self._known:
            self._known[text] = self._looked_up(text)
        return self._known[text]

    def _looked_up(self, text: str) -> Known:
        if not LETTERS.search(text) or COMMAND.fullmatch(text):
            return 0, text
        if text in self._entries:
            return len(LETTERS.findall(text)), self._entries[text]
        if "\n" in text:
            return self._fitting(text, self._of_lines) or self._joined(text.split("\n"), "\n")
        bare = text.strip()
        if bare != text:
            # Spaces after a word are a column's: the next one begins where it did.
            score, words = self._understood(bare)
            words = text[: text.index(bare)] + words
            return score, padded(words, width(text)) if text[-1] == " " else words
        if GAP.search(text):
            return self._fitting(text, self._of_columns) or self._columns(text)
        return self._facts(text)

    def _joined(self, parts: list[str], joint: str) -> Known:
        several = [self._understood(part) for part in parts]
        return sum(score for score, _ in several), joint.join(words for _, words in several)

    def _columns(self, text: str) -> Known:
        """A line of columns: each begins where it began, unless the one before got too long."""
        line, taken, understood = "", 0, 0
        for part in re.split(r"( {2,})", text):
            taken += len(part)
            if part.strip():
                line, understood = line + self.said(part), understood + self._understood(part)[0]
            else:
                line = padded(line, max(taken, width(line) + 1))
        return understood, line

    def _facts(self, text: str) -> Known:
        """Facts with commas between them, taken apart where most of them is understood."""
        parts = BETWEEN.split(text)
        facts, joints = parts[::2], parts[1::2]
        # For the facts from here to the end: letters understood, pieces, the words, and whether
        # the first piece is known. The last entry is for all of them.
        best = [(0, 0, "", False)]
        for start in reversed(range(len(facts))):
            ways = []
            for end in range(start + 1, len(facts) + 1):
                score, words = self._fact("".join(parts[2 * start : 2 * end - 1]))
                after, pieces, rest, known = best[len(facts) - end]
                if end < len(facts):
                    joint = joints[end - 1]
                    words += JOINTS[joint] if score or known else joint
                ways.append((score + after, pieces + 1, words + rest, bool(score)))
            best.append(max(ways, key=lambda way: way[:2]))
        return best[-1][0], best[-1][2]

    def _fact(self, text: str) -> Known:
        """What the entry that fits best makes of one fact."""
        if text in self._entries:
            return len(LETTERS.findall(text)), self._entries[text]
        found = self._fitting(text, self._phrases)
        if found is None and text.endswith("."):
            # A phrase that stands in the catalogue without its full stop.
            score, words = self._fact(text[:-1])
            found = (score, f"{words}。") if score else None
        return found or (0, text)

    def _fitting(self, text: str, phrases: Iterable[Phrase]) -> Known | None:
        """What the phrase that understands most makes of a text; None where none fits.

        Of several the one with the most places: its values are the smaller ones.
        """
        ways = []
        for one in phrases:
            values = one.values(text)
            if values and (one.letters > SHORT or all(map(self._plain, values))):
                known = [self._understood(value) for value in values]
                score = one.letters + sum(score for score, _ in known)
                ways.append((score, len(known), one.filled(words for _, words in known)))
        score, _, words = max(ways, key=lambda way: way[:2], default=(0, 0, ""))
        return (score, words) if score else None

    def _plain(self, value: str) -> bool:
        """Whether a value is a name, a number or known, and no English that nobody translated."""
        return len(PROSE.findall(value)) < 2 or self.said(value) != value
