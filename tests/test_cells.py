"""Which cells the kernel refuses, and with which sentence."""

import pytest

from kubelab import cells


def bash(*lines: str) -> str:
    return "\n".join(["%%bash", *lines])


@pytest.mark.parametrize(
    "line",
    [
        "kubectl exec -it web -- sh",
        "kubectl exec -i -t web -- sh",
        "kubectl -n lab-02 exec web -ti -- sh",
        "kubectl exec --stdin --tty web -- sh",
        "kubectl exec -i web -- sh",
        "kubectl run x -it --rm --image=kubelab/toolbox:1.0 -- sh",
        "kubectl debug -it web --image=kubelab/toolbox:1.0",
        "kubectl get pods -w",
        "kubectl get pods -Aw",
        "kubectl get pods --watch",
        "kubectl get pods --watch=true | grep web",
        "kubectl events --watch",
        "kubectl edit pod web",
        "kubectl logs -f web",
        "kubectl port-forward pod/web 8080",
        "echo a && kubectl edit pod web",
        "A=b /usr/bin/kubectl edit pod web",
        "lab shell 02",
        "./lab shell 02 -- kubectl exec -it web -- sh",
        "watch kubectl get pods",
        "kubectl get pods | less",
    ],
)
def test_a_command_that_needs_a_terminal_is_refused(line: str) -> None:
    reason = cells.refusal(bash("kubectl get pods", line), "02")
    assert reason is not None
    sentence, paste = reason.splitlines()
    assert sentence.endswith("so this cell was not run.")
    assert paste.startswith("In a terminal: ./lab shell 02")


@pytest.mark.parametrize(
    "line",
    [
        "kubectl get pods -o wide",
        "kubectl get pods -owide -l app=web",
        "kubectl exec web -- sh -c 'ls -it'",
        "kubectl exec -i web -- sh < script",
        "echo ls | kubectl exec -i web -- sh",
        "kubectl apply -f - <<EOF",
        "kubectl logs web --follow=false",
        "kubectl port-forward pod/web 8080 > log 2>&1 &",
        "timeout 5 kubectl get pods -w",
        "kubectl rollout status deployment/web",
        "kubectl get pods --watch=false",
        "echo kubectl edit",
        "# kubectl edit pod web",
        "top -b -n 1 | head",
    ],
)
def test_a_command_that_ends_by_itself_is_not_refused(line: str) -> None:
    assert cells.refusal(bash(line), "02") is None


def test_the_text_of_a_heredoc_is_no_command() -> None:
    text = bash("cat > notes <<'EOF'", "kubectl edit pod web", "EOF", "ls")
    assert cells.refusal(text) is None


def test_python_that_only_speaks_of_kubectl_is_not_refused() -> None:
    assert cells.refusal('print("kubectl edit pod web")') is None


def test_a_shell_escape_in_python_is_looked_at() -> None:
    assert cells.refusal("x = 1\n!kubectl get pods -w") is not None
    assert cells.refusal("out = !kubectl edit pod web") is not None


def test_the_command_to_paste_is_the_whole_command() -> None:
    reason = cells.refusal(bash("kubectl exec -it web \\", "  -- sh -c 'ls /'"), "02")
    assert reason is not None
    assert reason.endswith("./lab shell 02 -- kubectl exec -it web -- sh -c 'ls /'")


def test_the_programs_of_a_cell_are_known() -> None:
    assert cells.uses(bash("if kubectl get pods; then echo; fi"), "kubectl")
    assert cells.uses("!lab start 02", "lab")
    assert not cells.uses(bash("echo kubectl"), "kubectl")
