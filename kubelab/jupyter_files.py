"""What JupyterLab reads of the course: notebooks, kernel, configuration; nothing of the user's."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kubelab import language
from kubelab.errors import EnvironmentFault
from kubelab.site import ROOT, Site, tools

PORT = 8888
PORT_RETRIES = 50
# The start page: it opens first, and is no lab's.
INDEX = "index.ipynb"
TERMINAL = Path(__file__).with_name("terminal.bash")

SETTINGS: dict[str, Any] = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
    "@jupyterlab/notebook-extension:tracker": {"codeCellConfig": {"lineWrap": True}},
}
# JupyterLab tells a link from the text around it by its colour alone, and lets a long path in the
# text stand out of a narrow window; the colours of its YAML are too pale to read.
STYLE = """\
body .jp-RenderedHTMLCommon pre > code span { color: inherit; }
body .jp-RenderedHTMLCommon :not(pre) > code { overflow-wrap: anywhere; white-space: normal; }
body .jp-RenderedHTMLCommon a:any-link:not(.jp-InternalAnchorLink) { text-decoration: underline; }
"""
# What a learner does not need: fewer buttons, and none that asks the network.
DISABLED = ("@jupyter-notebook/lab-extension", "@jupyterlab/extensionmanager-extension")


def copies(site: Site) -> list[Path]:
    """The learner's notebooks in `site.work`: copied when absent, never overwritten."""
    made = []
    for name in sorted(path.name for path in (site.root / "notebooks").glob("*.ipynb")):
        source, target = pair(site, name)
        made.append(target)
        try:
            if not os.path.lexists(target):
                copy(source, target)
        except OSError as error:
            raise EnvironmentFault(f"Can't write {target}: {error.strerror}.") from error
    return made


def copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all: half a notebook would never be replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    # Of this process alone, and not shown by JupyterLab where it is left behind.
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        try:
            os.link(partial, target)
        except FileExistsError:
            return
        except OSError:  # A file system without links, as of a memory stick.
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def pair(site: Site, name: str) -> tuple[Path, Path]:
    """A committed notebook and the learner's copy: in their language, where there is one in it.

    Copies in another language than English have a folder of their own, so both can be kept.
    """
    chosen = language.current(site)
    source = language.notebooks(site.root, chosen) / name
    if chosen != language.ENGLISH and source.is_file():
        return source, site.work / chosen / name
    return site.root / "notebooks" / name, site.work / name


def opened(site: Site, name: str) -> str:
    """The path of the learner's copy below `site.work`, as JupyterLab's address has it."""
    return pair(site, name)[1].relative_to(site.work).as_posix()


def first_opened(site: Site) -> str:
    """The path of the copy that opens first, of those that are there; empty where none is."""
    several = (pair(site, path.name)[1] for path in (site.root / "notebooks").glob("*.ipynb"))
    name = opening(path for path in several if path.is_file())
    return opened(site, name) if name else ""


def beside_the_map(site: Site, name: str) -> str:
    """The path of a copy from the folder of the start page, for a link."""
    start = pair(site, INDEX)[1].parent
    return Path(os.path.relpath(pair(site, name)[1], start)).as_posix()


def opening(notebooks: Iterable[Path]) -> str:
    """The name of the notebook that opens first: the start page, else the first lab's, or none."""
    names = sorted((path.name for path in notebooks), key=lambda name: (name != INDEX, name))
    return next(iter(names), "")


def folder(site: Site) -> Path:
    """Where the site's Jupyter keeps its files; made when absent."""
    made = site.state / "jupyter"
    (made / "runtime").mkdir(parents=True, exist_ok=True)
    (made / "runtime").chmod(0o700)  # It holds the token.
    return made


def write(site: Site, first: str) -> None:
    """The kernel, the server's configuration and the settings: all under the site's state."""
    state = folder(site)
    files: dict[str, Any] = {
        "kernels/kubelab/kernel.json": kernelspec(site),
        "config/jupyter_server_config.json": configuration(site, first),
        "config/jupyter_lab_config.json": {
            "LabApp": {
                "extension_manager": "readonly",
                "news_url": None,
                "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
                "custom_css": True,
            }
        },
        "config/labconfig/default_setting_overrides.json": SETTINGS,
        "config/labconfig/page_config.json": {"disabledExtensions": dict.fromkeys(DISABLED, True)},
    }
    for name, content in files.items():
        file = state / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    style = state / "config" / "custom" / "custom.css"
    style.parent.mkdir(parents=True, exist_ok=True)
    style.write_text(STYLE, encoding="utf-8")


def kernelspec(site: Site) -> dict[str, Any]:
    """How Jupyter starts the notebooks' kernel, as the content of a `kernel.json`."""
    return {
        # -P: a file of the learner's, named like a library, must not break the kernel.
        "argv": [sys.executable, "-P", "-m", "kubelab.kernel", "-f", "{connection_file}"],
        "display_name": "kubelab",
        "language": "python",
        "interrupt_mode": "signal",
        "env": {"PYTHONPATH": str(ROOT), "KUBELAB_CLUSTER": site.name},
        "metadata": {"debugger": False},
    }


def configuration(site: Site, first: str) -> dict[str, Any]:
    """The server: loopback alone, a terminal with the course's paths, one kernel."""
    bash = shutil.which("bash")
    shell = [bash, "--rcfile", str(TERMINAL), "-i"] if bash else ["sh"]
    return {
        "ServerApp": {
            "ip": "127.0.0.1",
            "port": PORT,
            "port_retries": PORT_RETRIES,
            "open_browser": False,
            "allow_root": True,
            "root_dir": str(site.work),
            "default_url": f"/lab/tree/{first}" if first else "/lab",
            "jpserver_extensions": {"jupyterlab": True, "jupyter_server_terminals": True},
            "terminado_settings": {"shell_command": shell},
        },
        # To look for language servers it would run npm, which writes into the user's home.
        "LanguageServerManager": {"autodetect": False},
        "MultiKernelManager": {"default_kernel_name": "kubelab"},
        "KernelSpecManager": {"allowed_kernelspecs": ["kubelab"], "ensure_native_kernel": False},
    }


def environment(site: Site) -> dict[str, str]:
    """This process's variables without the user's Jupyter, with the course's."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "JPY_", "BASH_ENV"))}
    state = folder(site)
    path = [str(site.root), str(tools()), str(Path(sys.executable).parent), own.get("PATH", "")]
    return own | {
        "JUPYTER_CONFIG_DIR": str(state / "config"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_DATA_DIR": str(state),
        "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(state / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(state / "workspaces"),
        "IPYTHONDIR": str(site.state / "ipython"),
        "KUBECONFIG": str(site.current_kubeconfig),
        "KUBELAB_CLUSTER": site.name,
        "KUBELAB_PATH": os.pathsep.join(path[:3]),
        "KUBELAB_ROOT": str(site.root),
        "PATH": os.pathsep.join(path),
    }
