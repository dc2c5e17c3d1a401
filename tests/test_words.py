"""What the course says in Chinese: the catalogue, and how a phrase is found in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes import COURSE

from kubelab import (
    columns,
    hints,
    labs,
    notebook_course,
    notebook_predictions,
    notebook_result,
    report,
    words,
)
from kubelab.commands import status, where
from kubelab.evidence import Event, Evidence
from kubelab.notebook_show import labelled, numbered
from kubelab.reasons import REASONS
from kubelab.site import ROOT, Site
from kubelab.verdict import Judgement, Verdict

ENTRIES = {key: one for part in words.sections("zh").values() for key, one in part.items()}


@pytest.fixture(autouse=True)
def in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBELAB_LANG", "zh")


def repeated(text: str) -> Iterator[str]:
    """Keys that a YAML file gives twice, of which a parser would keep the last."""
    seen = set()
    for key in re.findall(r'^  ("(?:[^"\\]|\\.)+"): ', text, re.MULTILINE):
        if key in seen:
            yield key
        seen.add(key)


def test_no_phrase_has_two_entries() -> None:
    assert not list(repeated((words.FOLDER / "zh.yaml").read_text(encoding="utf-8")))


def test_an_entry_takes_the_values_of_its_phrase() -> None:
    for key, told in ENTRIES.items():
        phrase = words.Phrase(key, told)
        text = phrase.filled([f"<{at}>" for at in range(len(phrase.places))])
        # The letter of a plural is the one value that Chinese has no use for.
        lost = [at for at in range(len(phrase.places)) if f"<{at}>" not in text]
        plural = re.findall(r"(Pod|EndpointSlice)\{\}", key) or key == "{} {}, {} ready"
        assert not lost or plural, key


def test_every_reason_has_a_meaning_in_chinese_and_a_row_in_the_page() -> None:
    page = (ROOT / "docs" / "zh" / "reasons.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(one.id, words.said(one.meaning)) for one in REASONS.values()]
    assert not [one for one in REASONS.values() if words.said(one.meaning) == one.meaning]


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("done", "完成"),
        ("Running, not ready for 94 s", "Running，未就绪，已有 94 秒"),
        ("ready, 3 restarts, last exit code 1", "就绪，重启 3 次，上次退出码 1"),
        (
            "pod/web   label app=web, image kubelab/web:3.0, Running, not ready",
            "pod/web   标签 app=web，镜像 kubelab/web:3.0，Running，未就绪",
        ),
        ("pod/web   in namespace lab-02", "pod/web   在名字空间 lab-02 中"),
        (
            "image web:2.0, 4/4 updated, 4 available",
            "镜像 web:2.0，4/4 个已更新，4 个可用",
        ),
        (
            "update 1.0 to 2.0: no request was answered by 1.0 before it",
            "从 1.0 到 2.0 的更新：在此之前没有请求由 1.0 应答",
        ),
        (
            "3 of 120 requests lost, the first: HTTP 502 0.3 s after web-x was told to stop",
            "120 个请求中丢失 3 个，第一个：HTTP 502，在 web-x 被要求停止之后 0.3 秒",
        ),
        ("ready addresses: 3 of 2.0, 1 of 2.1", "就绪的地址：2.0 有 3 个，2.1 有 1 个"),
        ("710 to 790 of 1,000 by web", "1,000 个中 710 到 790 个由 web 应答"),
        ("ingress/shop   /api answered by nobody", "ingress/shop   /api 的应答者：没有任何 Pod"),
        ("for every host", "用于所有主机"),
        (
            "Your namespace has no room for the course's copy: 10 of 10 pods are in use. It costs "
            "you nothing.",
            "你的名字空间容不下课程的副本：Pod 数限额 10，已用 10。这不影响你的得分。",
        ),
        (
            "Interrupted. The component is back; `./lab mend` makes sure.",
            "已中断。组件已恢复；`./lab mend` 可以再确认一次。",
        ),
        ("answers from web and web-next alone", "应答只来自 web 和 web-next"),
        ("├─ weight 3 -> web:80      2 ready", "├─ 权重 3 -> web:80        2 个就绪"),
        ("DNS gives 10.1.1.1, 10.1.1.2", "DNS 给出 10.1.1.1，10.1.1.2"),
        ("2 ready, 0 not ready, written by hand", "2 个就绪，0 个未就绪，手写"),
        ("4 Pods, 3 ready, FailedCreate", "4 个 Pod，3 个就绪，FailedCreate"),
        ("grace at most 60", "宽限期最多为 60"),
        ("Pod web is getting ready.", "Pod web 正在变为就绪。"),
        ("Node x is not ready. It costs you nothing.", "节点 x 未就绪。这不影响你的得分。"),
        ("readiness probe: HTTP 503", "就绪探针：HTTP 503"),
        ("a Pod of 3.0 is never ready", "3.0 的 Pod 从未就绪"),
        ("[2/5] JupyterLab ... about 2 min 5 s", "[2/5] JupyterLab……约 2 分 5 秒"),
        ("job/pi   kept, not suspended, 3 Pods at a time", "job/pi   保留，未挂起，每次 3 个 Pod"),
        ("job/pi   6 Pods at one time", "job/pi   同时有 6 个 Pod"),
        (
            "Job pi                             6 active",
            "Job pi                             6 个进行中",
        ),
        (
            "├─ Pod ...-x2x4p                   index 2, Failed, exit code 1",
            "├─ Pod ...-x2x4p                   索引 2，Failed，退出码 1",
        ),
        ("2 succeeded, Failed: BackoffLimitExceeded", "2 个成功，Failed：BackoffLimitExceeded"),
        ("the run failed 3 times, exit code 1", "运行失败了 3 次，退出码 1"),
        (
            "exit 3 ends Failed, BackoffLimitExceeded, after 2 Pods",
            "退出码 3 以 Failed 结束，BackoffLimitExceeded，共 2 个 Pod",
        ),
        ("cronjob/tick   every minute, successes kept 3", "cronjob/tick   每分钟，保留 3 次成功"),
        (
            "cronjob/tick   concurrencyPolicy one of Forbid, Replace",
            "cronjob/tick   concurrencyPolicy 是 Forbid 或 Replace",
        ),
        ("configmap/answers   no total", "configmap/answers   没有 total"),
        ("deployment/web   ready Pods at least 2", "deployment/web   就绪的 Pod 数至少为 2"),
        ("deployment/web   Pods that answer at least 2", "deployment/web   应答的 Pod 数至少为 2"),
        (
            "web-1-z, made in its place, is Running, not ready",
            "接替它的 web-1-z 是 Running，未就绪",
        ),
        (
            "deployment/web   one visitor counts 1, 2, 3 across the Pods",
            "deployment/web   一个访客数到 1、2、3，不管由哪个 Pod 应答",
        ),
        ("deployment/web   counts in 10.1.1.7:6379", "deployment/web   计数存在 10.1.1.7:6379"),
        ("Next: Start lab 02.", "下一步：开始实验 02。"),
        ("In a terminal: ./lab status", "在终端里：./lab status"),
        (
            "[4/5] Cluster of a control plane and two workers: done in 34 s",
            "[4/5] 由控制平面和两个工作节点组成的集群：完成，用时 34 秒",
        ),
        (
            "      Images from their registries; 2 min left in all",
            "      从镜像仓库拉取镜像；总共还需 2 分钟",
        ),
        (
            "      compiled 450 of about 3200 packages; 12 min left in all",
            "      已编译 450 个包，共约 3200 个；总共还需 12 分钟",
        ),
        (
            "Building needs 9 GB of disk, and 3 GB are free in /d: make room, then again.",
            "Building需要 9 GB 磁盘空间，而 /d 中只剩 3 GB：腾出空间，再试一次。",
        ),
    ],
)
def test_a_phrase_is_found_with_its_values(english: str, chinese: str) -> None:
    assert words.said(english) == chinese


@pytest.mark.parametrize(
    "text",
    [
        "a thing nobody has heard of, for a long time",
        "frobnicated web-7d9c of whatever was there: ProgressDeadlineExceeded in some words",
        "10.244.1.7",
        "kubectl -n lab-02 describe pod web",
        "",
    ],
)
def test_what_nobody_translated_stays_english(text: str) -> None:
    assert words.said(text) == text


def test_what_is_known_at_the_beginning_of_a_text_is_told() -> None:
    text = "revision 3 of a thing nobody has heard of, for a long time"
    assert words.said(text) == "修订版本 3 of a thing nobody has heard of，for a long time"


def test_a_phrase_of_few_letters_does_not_fit_by_chance() -> None:
    for text in (
        "one thing of another thing",
        "some words for other words",
        "what was here in there at last",
    ):
        assert words.said(text) == text


def test_english_is_never_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBELAB_LANG", "en")
    assert words.said("done") == "done"
    assert words.template("{name} {value}") == "{name} {value}"


# A result as a whole

TASK = labs.find(ROOT, "02").task("02.1")
EVIDENCE = Evidence(
    reason="not-ready",
    wanted="pod/web   label app=web, image kubelab/web:1.0, ready",
    found="pod/web   label app=web, image kubelab/web:3.0, Running, not ready",
    chain=(
        "Pod web                    Running, not ready for 94 s",
        "└─ container web           running, not ready",
    ),
    events=(Event(12.4, "Unhealthy", "Readiness probe failed: HTTP probe failed", 19),),
    near=("lab-02 has Pod `webb`",),
    log=("python3: can't open file",),
    look="kubectl -n lab-02 describe pod web",
)
TEXT = """\
02.1  未完成                                                            0 / 3 分
Pod `web` 就绪并能应答；一旦不再健康，它会被重启。

  期望     pod/web   标签 app=web，镜像 kubelab/web:1.0，就绪
  实际     pod/web   标签 app=web，镜像 kubelab/web:3.0，Running，未就绪

  Pod web                    Running，未就绪，已有 94 秒
  └─ container web           在运行，未就绪
  12 秒前  Unhealthy         Readiness probe failed: HTTP probe failed （19 次）

  相近     lab-02 里有 Pod `webb`

  日志     python3: can't open file

  原因     kubelet 知道进程在运行，却不知道它是否正常工作。就绪探针让请求避开无
           法应答的 Pod；存活探针把再也恢复不了的容器重启。
  查看     kubectl -n lab-02 describe pod web"""


def record(**more: Any) -> report.Record:
    return report.record(TASK, Judgement(Verdict.FAIL), EVIDENCE, cluster=None, root=COURSE, **more)


def test_a_failed_check_is_told_in_chinese_in_80_columns() -> None:
    assert report.text(record()) == TEXT
    assert all(columns.width(line) <= 80 for line in TEXT.split("\n"))


def test_the_record_is_english_in_every_language() -> None:
    one = record()
    assert one["title"] == TASK.sentence
    assert one["found"] == EVIDENCE.found
    assert not re.search(r"[\u4e00-\u9fff]", str(one))


def test_the_html_has_the_same_words() -> None:
    markup = notebook_result.markup(record())
    for word in ("未完成", "0 / 3 分", "期望", "未就绪，已有 94 秒", "原因", "查看", "19 次"):
        assert word in markup


def test_a_hint_is_told_in_chinese() -> None:
    text = hints.text(hints.Shown("02.1", 3, TASK.hints, 3, EVIDENCE.found))
    assert text.startswith("02.1  提示 3 / 3\n  实际     pod/web   标签 app=web")
    assert text.endswith("这是最后一条提示。")
    assert "配置存活、就绪和启动探针" in "".join(text.split())


def test_a_prediction_and_its_facts_are_told_in_chinese() -> None:
    lab = labs.find(ROOT, "04")
    seen = notebook_predictions.judge(
        lab.predictions["04.p1"],
        {
            "complete": True,
            "old_pods": 0,
            "template_changes": 1,
            "fewest_ready": 3,
            "most_pods": 5,
        },
    )
    assert words.said(seen.because) == "始终至少有 3 个 Pod 就绪，同时存在的最多 5 个。"
    assert notebook_predictions.told({"ready": True, "health": 503}) == "就绪：是，健康页面：503"
    assert labelled("shown by", "x").startswith("  依据       x")
    assert numbered([words.said("Four")]) == "  1  四个"


def lab_facts(**more: Any) -> dict[str, Any]:
    tasks = [
        {"task": "02.1", "done": True, "points": 3, "of": 3, "attempts": 2, "hints": 1},
        {"task": "02.2", "done": False, "points": 0, "of": 3, "attempts": 0, "hints": 0},
    ]
    lab = labs.find(ROOT, "02")
    return {
        "lab": "02",
        "title": lab.title,
        "about": lab.about,
        "minutes": lab.minutes,
        "notebook": lab.notebook.name,
        "started": True,
        "done": False,
        "points": 3,
        "of": 12,
        "attempts": 2,
        "tasks": [{**one, "title": lab.task(one["task"]).sentence} for one in tasks],
    } | more


def facts() -> dict[str, Any]:
    several = [lab_facts(), lab_facts(lab="04", title="Rolling updates", started=False, attempts=0)]
    for one in several:
        one["tasks"] = [task | {"reference": False} for task in one["tasks"]]
    return {
        "cluster": {"version": None},
        "made": True,
        "engine": {"version": None},
        "jupyter": {"url": None},
        "up": None,
        "work": "/course/work",
        "labs": several,
    }


def test_the_status_keeps_its_columns() -> None:
    assert [words.said(line) for line in status.lines(facts())] == [
        "集群        不存在，或没有应答",
        "容器引擎    没有应答",
        "笔记本      未打开",
        "你的文件    /course/work",
        "",
        "2 个实验完成了 0 个，6 / 24 分。其余约需 90 分钟。",
        "",
        "  02  Pod              45 分钟 已开始       3 / 12 分",
        "      02.1  完成      3 / 3 分       尝试 2 次，提示 1 条",
        "      02.2  未做      0 / 3 分",
        "  04  滚动更新         45 分钟 未开始       3 / 12 分",
        "",
        "下一步：让集群恢复，接着做实验 02。",
        "  ./lab up",
    ]
    assert "  集群       不存在" in [words.said(line) for line in where.where(facts())]


def test_the_map_links_the_copies_in_its_own_language(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = Site(root=tmp_path)
    for name in ("index.ipynb", "02-pods.ipynb", "zh/index.ipynb", "00-why.ipynb"):
        (tmp_path / "notebooks" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "notebooks" / name).write_text("{}")
    monkeypatch.setattr(notebook_course, "here", lambda: site)
    assert 'href="../02-pods.ipynb"' in notebook_course.link(lab_facts())
    (tmp_path / "notebooks" / "zh" / "02-pods.ipynb").write_text("{}")
    assert notebook_course.link(lab_facts()) == '<a href="02-pods.ipynb">02 Pod</a>'
    markup = notebook_course.markup(facts(), "")
    for word in ("学到什么", "谁来照看运行中的程序", "未做，0 / 3 分", "<b>下一步：<a href="):
        assert word in markup
    assert not re.search(r">[^<]*\b(points|begun|you learn|tasks)\b", markup)


def test_the_catalogue_is_yaml_that_every_parser_reads_alike() -> None:
    text = (words.FOLDER / "zh.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == words.read("zh")
