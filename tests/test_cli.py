"""The command line: which command, what it prints when something is wrong, the exit code."""

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kubelab import cli, errors
from kubelab.commands import check, down, shell, start
from kubelab.errors import NoCluster, NotDone, StillConverging, UsageError
from kubelab.site import ROOT, Site

NAMES = [*cli.COMMANDS, cli.ALONE]


def a_command(run: Callable[[], int], **more: Any) -> SimpleNamespace:
    """A command that does what `run` does."""

    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    module = SimpleNamespace(__name__="kubelab.commands.up", EXAMPLES=["./lab up"], **more)
    module.arguments = arguments
    module.run = lambda chosen: run()
    return module


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Put a command in the place of all others."""
    monkeypatch.setattr(cli, "_end_as_interrupted", lambda: None)
    monkeypatch.setattr(cli, "here", lambda: Site(root=tmp_path))

    def put(run: Callable[[], int], **more: Any) -> None:
        monkeypatch.setattr(cli, "command", lambda name: a_command(run, **more))

    return put


def raising(error: BaseException) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


def test_every_module_of_the_commands_is_listed_and_every_listed_one_is_there() -> None:
    files = {path.stem for path in (ROOT / "kubelab" / "commands").glob("[a-z]*.py")}
    assert files == set(NAMES)
    for name in cli.COMMANDS:
        assert name in cli.overview()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_examples_in_80_columns(name: str) -> None:
    module = cli.command(name)
    told = cli.parser(module).format_help()
    assert module.EXAMPLES
    for example in module.EXAMPLES:
        assert example.startswith("./lab")
        assert example in told
    assert max(map(len, told.splitlines())) <= 80
    assert max(map(len, cli.overview().splitlines())) <= 80


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 0
    assert "check a lab" in capsys.readouterr().out


def test_an_unknown_command_is_usage_and_names_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["chekc"]) == 2
    err = capsys.readouterr().err
    assert "There is no command `chekc`. Did you mean `check`?" in err
    assert err.splitlines()[-1] == "look: ./lab --help"


def test_in_chinese_an_error_is_translated_and_its_commands_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBELAB_LANG", "zh")
    assert cli.main(["chekc"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("没有命令 `chekc`。你是想用 `check` 吗？")
    assert ", ".join(f"`{one}`" for one in cli.COMMANDS) in " ".join(err.splitlines())
    assert err.splitlines()[-1] == "查看: ./lab --help"


def test_in_chinese_a_command_to_paste_is_never_translated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBELAB_LANG", "zh")
    assert cli.tell(NoCluster("There is none.", look="./lab status, reset: done")) == 4
    assert capsys.readouterr().err.splitlines()[-1] == "查看: ./lab status, reset: done"


def test_an_unknown_option_is_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["status", "--nonesuch"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotDone("n"), 1),
        (UsageError("u"), 2),
        (StillConverging("s"), 3),
        (NoCluster("c"), 4),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_error_has_its_exit_code(
    instead: Callable[..., None], error: BaseException, code: int
) -> None:
    instead(raising(error))
    assert cli.main(["up"]) == code


def test_an_error_is_a_sentence_in_80_columns_and_last_a_command_to_paste(
    instead: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    instead(raising(NoCluster("There is no cluster " + "of yours " * 12, look="./lab up")))
    assert cli.main(["up"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "look: ./lab up"
    assert max(map(len, err.splitlines())) <= 80


def test_with_json_an_error_is_json_too(
    instead: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    instead(raising(NoCluster("There is none.", look="./lab up")))
    assert cli.main(["up", "--json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert told == {"error": "There is none.", "look": "./lab up"}


def test_an_unexpected_error_is_called_a_fault_of_the_course_and_kept(
    instead: Callable[..., None], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    instead(raising(ZeroDivisionError("division by zero")))
    assert cli.main(["up"]) == 4
    err = capsys.readouterr().err
    assert "a fault of the course, not yours: ZeroDivisionError: division by zero" in err
    assert "Traceback" not in err
    kept = tmp_path / ".kubelab" / "fault.log"
    assert err.splitlines()[-1] == f"look: cat {kept}"
    assert "Traceback" in kept.read_text()


def test_ctrl_c_is_one_sentence_that_says_what_happens_next(
    instead: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    instead(raising(KeyboardInterrupt()), INTERRUPTED="Interrupted. It goes on.")
    assert cli.main(["up"]) == errors.INTERRUPTED
    assert capsys.readouterr().err == "\nInterrupted. It goes on.\n"


@pytest.mark.parametrize("name", ["up", "start", "check", "down", "test"])
def test_long_commands_say_what_happens_after_ctrl_c(name: str) -> None:
    said = cli.command(name).INTERRUPTED
    assert said.startswith("Interrupted. ")
    assert len(said) <= 80


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    script = "from kubelab.cli import told; print('x' * 100000); raise SystemExit(told(bad))"
    script = f"def bad(): raise BrokenPipeError\nimport sys\nsys.path[0:0]=['{ROOT}']\n{script}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 4
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ([], None)),
        (["02"], (["02"], None)),
        (["02", "--", "kubectl", "get", "--", "x"], (["02"], ["kubectl", "get", "--", "x"])),
        (["--"], ([], [])),
    ],
)
def test_what_stands_after_two_dashes_is_the_commands_own(
    words: list[str], expected: tuple[list[str], list[str] | None]
) -> None:
    assert cli.apart(words) == expected


# check, start, shell, down


def test_a_timeout_is_a_number_of_seconds() -> None:
    assert check.seconds("2.5") == 2.5
    for wrong in ("soon", "-1", "nan", "inf"):
        with pytest.raises(ValueError, match=wrong):
            check.seconds(wrong)


def test_check_hands_over_to_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def run_checks(site: Site, selectors: list[str], **more: Any) -> int:
        asked.append((selectors, more))
        return 3

    monkeypatch.setattr("kubelab.runner.run_checks", run_checks)
    assert cli.main(["check", "02.1", "03", "--timeout", "5", "--json"]) == 3
    assert asked == [(["02.1", "03"], {"timeout": 5.0, "json": True, "junit": None})]


def test_start_without_a_cluster_says_why_the_last_up_ended(tmp_path: Path) -> None:
    site = Site(root=tmp_path)
    with pytest.raises(NoCluster, match="no cluster yet") as raised:
        start._wait_for_up(site)
    assert raised.value.look == "./lab up"
    site.state.mkdir()
    record = {"state": "failed", "message": "The disk is full.", "pid": 1, "stages": []}
    site.progress.write_text(json.dumps(record))
    with pytest.raises(NoCluster, match=r"did not end well: The disk is full\."):
        start._wait_for_up(site)


@pytest.mark.parametrize("number", ["2", "02", "02-pods"])
def test_a_lab_is_named_by_number_or_slug(number: str) -> None:
    with pytest.raises(UsageError, match=r"Lab 02 is not started\.") as raised:
        shell.kubeconfig(Site("kubelab-unit"), number)
    assert raised.value.look == "./lab start 02"


def test_an_unknown_lab_is_usage_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["start", "77"]) == 2
    assert "There is no lab 77; the course has 00, 0" in capsys.readouterr().err


def test_shell_takes_the_last_lab_or_before_the_first_the_whole_cluster(tmp_path: Path) -> None:
    site = Site(root=tmp_path)
    assert shell.kubeconfig(site, None) == site.kubeconfig
    site.current_kubeconfig.parent.mkdir(parents=True)
    site.current_kubeconfig.touch()
    assert shell.kubeconfig(site, None) == site.current_kubeconfig


def test_shell_puts_the_courses_programs_first_and_once(tmp_path: Path) -> None:
    site = Site(root=tmp_path)
    made = shell.variables(site, site.kubeconfig, {"PATH": f"/bin:{tmp_path}", "HOME": "/h"})
    assert made["PATH"].split(":")[0] == str(tmp_path)
    assert made["PATH"].split(":").count(str(tmp_path)) == 1
    assert made["KUBECONFIG"] == str(site.kubeconfig)
    assert made["HOME"] == "/h"


def test_shell_refuses_a_command_without_two_dashes() -> None:
    with pytest.raises(UsageError) as raised:
        shell.checked(["02", "kubectl", "get", "pods"], None)
    assert raised.value.look == "./lab shell 02 -- kubectl get pods"
    with pytest.raises(UsageError):
        shell.checked(["02"], [])
    assert shell.checked(["02"], ["ls"]) == ("02", ["ls"])
    assert shell.checked([], None) == (None, [])


def test_shell_starts_the_users_shell_and_bash_keeps_the_path() -> None:
    assert shell.interactive("/bin/zsh") == ["/bin/zsh"]
    for bash in ("", "/usr/bin/bash"):
        assert "--rcfile" in shell.interactive(bash)
        assert Path(shell.interactive(bash)[2]).is_file()


def test_down_purge_asks_nobody_who_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(UsageError) as raised:
        down.agreed("This removes everything.")
    assert raised.value.look == "./lab down --purge --yes"


def test_without_a_word_it_says_where_you_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(cli, "command", lambda name: asked.append(name) or a_command(lambda: 0))
    assert cli.main([]) == 0
    assert asked == ["where"]
