"""Result records as JUnit XML, for whatever reads the reports of test runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from kubelab import report, site
from kubelab.report import Record
from kubelab.verdict import Verdict
from kubelab.words import for_programs

# What XML 1.0 can't hold: a container's log may have it.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(file: Path, records: Iterable[Record]) -> None:
    """Write the records as JUnit XML, whole or not at all."""
    site.write(file, text(records))


def text(records: Iterable[Record]) -> str:
    """The records as one XML document: a suite a lab and student, a test case a task."""
    suites: dict[tuple[str, str], list[Record]] = {}
    for one in records:
        suites.setdefault((one["lab"], one["student"]), []).append(one)
    root = ElementTree.Element("testsuites")
    for (lab, student), several in suites.items():
        root.append(suite(f"lab-{lab}" + (f".{student}" if student else ""), several))
    ElementTree.indent(root)
    told = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{told}\n'


def suite(name: str, records: Sequence[Record]) -> ElementTree.Element:
    """The suite of one student's lab."""
    counts = {
        "tests": len(records),
        "failures": sum(one["verdict"] in (Verdict.FAIL, Verdict.NOT_YET) for one in records),
        "errors": sum(one["verdict"] == Verdict.ENV for one in records),
        "skipped": 0,
    }
    made = ElementTree.Element("testsuite", {"name": clean(name)})
    for key, count in counts.items():
        made.set(key, str(count))
    made.set("time", f"{sum(one['seconds'] for one in records):.3f}")
    # The schema knows neither fractions of a second nor a zone.
    made.set("timestamp", min(one["at"] for one in records)[:19])
    for one in records:
        made.append(case(name, one))
    return made


def case(suite_name: str, one: Record) -> ElementTree.Element:
    """The test case of one task; `env` is an error, as pytest has it."""
    made = ElementTree.Element(
        "testcase",
        {
            "classname": clean(suite_name),
            "name": clean(f"{one['check']} {one['title']}"),
            "time": f"{one['seconds']:.3f}",
        },
    )
    properties = ElementTree.SubElement(made, "properties")
    for key in ("verdict", "reason", "points", "earned"):
        if one[key] is not None:
            ElementTree.SubElement(properties, "property", {"name": key, "value": str(one[key])})
    if one["verdict"] != Verdict.PASS:
        kind = "error" if one["verdict"] == Verdict.ENV else "failure"
        words = Verdict(one["verdict"]).words
        told = ElementTree.SubElement(
            made, kind, {"message": f"{words}: {one['reason']}", "type": str(one["reason"])}
        )
        with for_programs():
            told.text = clean(report.text(one))
    return made


def clean(words: str) -> str:
    """Words without what XML can't hold."""
    return NOT_XML.sub("?", words)
