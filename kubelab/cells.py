"""Which cells a notebook refuses to run: they would wait for a keyboard, or never end."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

# Programs that draw on a whole terminal; in a cell they hang or print rubbish.
SCREENS = {"htop", "less", "more", "nano", "top", "vi", "vim", "watch"}
# Short options that take no value, by verb: `-wA` is `-w -A`, while `-owide` is `-o wide`.
SWITCHES = {"get": "AwR", "events": "Aw", "exec": "iqt", "run": "iqt", "attach": "iqt"}
SWITCHES |= {"debug": "iqt", "logs": "fp"}
WITH_VALUE = {"-n", "--namespace", "--context", "--kubeconfig", "--as", "-v", "--request-timeout"}
KEYWORDS = {"!", "do", "elif", "else", "exec", "if", "then", "time", "until", "while"}
ENDS = {";", "&", "&&", "|", "||", "(", ")", "{", "}"}


def refusal(source: str, lab: str | None = None) -> str | None:
    """Why this cell can't run here, with the command for a terminal; None where it can.

    `source` is the cell's text, `lab` the number of its lab (`02`) for the command to paste.
    """
    for words, end, piped in commands(source):
        what = _needs_terminal(words, end, piped)
        if what:
            return f"`{what}, so this cell was not run.\nIn a terminal: {_paste(words, lab)}"
    return None


def uses(source: str, program: str) -> bool:
    """Whether a shell command of this cell runs `program`."""
    return any(_name(words) == program for words, _, _ in commands(source))


def commands(source: str) -> Iterator[tuple[list[str], str, bool]]:
    """The simple commands of a cell: words, what ends them (`&`, `|`), whether they get input."""
    for line in _shell_lines(source):
        words: list[str] = []
        piped = False
        for word in [*_split(line), ";"]:
            if word in ENDS:
                if words:
                    yield words, word, piped or any(w.startswith("<") for w in words)
                piped, words = word == "|", []
            else:
                words.append(word)


def _shell_lines(source: str) -> Iterator[str]:
    lines = source.replace("\\\n", " ").splitlines()
    first = next((line for line in lines if line.strip()), "")
    if re.match(r"%%(bash|sh|script)\b", first):
        yield from _without_heredocs(lines[lines.index(first) + 1 :])
        return
    for line in lines:
        match = re.match(r"\s*(?:[\w, ]+=\s*)?!{1,2}(.*)", line)
        if match:
            yield match.group(1)


def _without_heredocs(lines: list[str]) -> Iterator[str]:
    end = None
    for line in lines:
        if end is not None:
            end = None if line.strip() == end else end
            continue
        yield line
        match = re.search(r"<<-?\s*['\"]?(\w+)", line)
        end = match.group(1) if match else None


def _split(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # A quotation that goes on in the next line.
        return line.split()


def _program(words: list[str]) -> list[str]:
    """The words from the program on: without `A=b`, `time`, `lab shell 02 --` before it."""
    while words and (re.match(r"\w+=", words[0]) or words[0] in KEYWORDS):
        words = words[1:]
    if words and _base(words[0]) == "lab" and words[1:2] == ["shell"] and "--" in words:
        return _program(words[words.index("--") + 1 :])
    return words


def _base(word: str) -> str:
    return word.rsplit("/", 1)[-1]


def _name(words: list[str]) -> str:
    program = _program(words)
    return _base(program[0]) if program else ""


def _needs_terminal(words: list[str], end: str, piped: bool) -> str | None:
    """`kubectl exec -it` waits for a keyboard …: the sentence's beginning, or None."""
    program = _program(words)
    name = _name(words)
    if name == "lab" and program[1:2] == ["shell"]:
        return "lab shell` waits for a keyboard, and a cell has none"
    if name in SCREENS and end != "|":
        return f"{name}` draws on a terminal, and a cell is none"
    if name != "kubectl":
        return None
    verb, options = _verb(program[1:])
    return _keyboard(verb, options, piped) or _endless(verb, options, end)


def _verb(arguments: list[str]) -> tuple[str, set[str]]:
    """The verb of a kubectl command and its options, short ones taken apart."""
    verb, options, skip = "", set[str](), False
    for word in arguments:
        if word == "--":
            break
        if skip:
            skip = False
        elif word in WITH_VALUE:
            skip = True
        elif word.startswith("--"):
            name, _, value = word.partition("=")
            if value != "false":
                options.add(name)
        elif word.startswith("-"):
            for letter in word[1:]:
                if letter not in SWITCHES.get(verb, ""):
                    break
                options.add(f"-{letter}")
        elif not verb:
            verb = word
    return verb, options


def _keyboard(verb: str, options: set[str], piped: bool) -> str | None:
    waits = "waits for a keyboard, and a cell has none"
    if verb == "edit":
        return "kubectl edit` opens an editor, and a cell has none"
    if verb not in ("exec", "run", "attach", "debug"):
        return None
    if options & {"-t", "--tty"}:
        return f"kubectl {verb} {'-it' if options & {'-i', '--stdin'} else '-t'}` {waits}"
    # Without input of its own, the command would swallow the cell's remaining lines.
    if options & {"-i", "--stdin"} and not piped:
        return f"kubectl {verb} -i` {waits}"
    return None


def _endless(verb: str, options: set[str], end: str) -> str | None:
    if end == "&":
        return None
    if verb in ("get", "events") and options & {"-w", "--watch", "--watch-only"}:
        return f"kubectl {verb} --watch` never ends by itself"
    if verb == "logs" and options & {"-f", "--follow"}:
        return "kubectl logs --follow` ends only when the container does"
    if verb in ("port-forward", "proxy"):
        return f"kubectl {verb}` never ends by itself"
    return None


def _paste(words: list[str], lab: str | None) -> str:
    command = " ".join(_quote(word) for word in _program(words))
    shell = f"./lab shell {lab}" if lab else "./lab shell"
    return shell if _name(words) == "lab" else f"{shell} -- {command}"


def _quote(word: str) -> str:
    return word if set(word) <= set("<>") else shlex.quote(word)
