"""Columns of a terminal: wide characters, and lines that fit."""

from __future__ import annotations

import pytest

from kubelab import columns

CHINESE = (
    "kubelet 知道进程在运行，却不知道它是否正常工作。就绪探针让请求避开无法应答的 Pod；"
    "存活探针把再也恢复不了的容器重启。见 Kubernetes 文档“配置存活、就绪和启动探针”（`/healthz`）。"
)


def test_a_chinese_character_takes_two_columns_and_a_line_of_a_tree_one() -> None:
    assert columns.width("Pod") == 3
    assert columns.width("未就绪：") == 8
    assert columns.width("├─ “a”…") == 7
    assert columns.width("e\u0301") == 1


def test_padding_and_cutting_count_columns() -> None:
    assert columns.padded("期望", 9) == "期望     "
    assert columns.padded("wanted", 9) == "wanted   "
    assert columns.cut("正在变为就绪", 12) == "正在变为就绪"
    assert columns.cut("正在变为就绪", 11) == "正在变 ..."
    assert columns.cut("is getting ready", 11) == "is gett ..."


@pytest.mark.parametrize("size", [20, 33, 48, 80])
def test_lines_fit_and_nothing_is_lost(size: int) -> None:
    text = columns.filled(CHINESE, size, "  原因     ", " " * 11)
    lines = text.split("\n")
    assert all(columns.width(line) <= size for line in lines)
    assert lines[0].startswith("  原因     ")
    assert all(line.startswith(" " * 11) for line in lines[1:])
    assert "".join(line[9 if not at else 11 :] for at, line in enumerate(lines)).replace(
        " ", ""
    ) == CHINESE.replace(" ", "")


@pytest.mark.parametrize("size", range(20, 60))
def test_no_line_begins_with_a_stop_or_ends_with_an_opening_bracket(size: int) -> None:
    for line in columns.filled(CHINESE, size).split("\n"):
        assert line[0] not in columns.CLOSING
        assert line[-1] not in columns.OPENING


def test_a_word_longer_than_a_line_is_broken() -> None:
    lines = columns.filled("见 " + "x" * 25, 10).split("\n")
    assert all(columns.width(line) <= 10 for line in lines)
    assert "".join(lines).count("x") == 25


def test_english_is_wrapped_as_it_always_was() -> None:
    text = "A probe-free Pod gets no requests."
    assert columns.filled(text, 20, "  why  ", " " * 7, break_on_hyphens=False) == (
        "  why  A probe-free\n       Pod gets no\n       requests."
    )


def test_lines_may_be_bounded() -> None:
    text = columns.filled(CHINESE, 30, lines=2)
    assert text.count("\n") == 1
    assert text.endswith(" ...")
    assert all(columns.width(line) <= 30 for line in text.split("\n"))
