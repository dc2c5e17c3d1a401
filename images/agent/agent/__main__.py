"""`python3 -m agent prober` and `python3 -m agent recorder`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from . import prober, recorder
from .api import Api
from .service import Service

USAGE = "usage: python3 -m agent prober|recorder"


def main(arguments: list[str]) -> int:
    """Serve until SIGTERM; the exit code."""
    # Blocked and waited for: the first process of a container gets only signals that it asks for.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    if arguments == ["prober"]:
        service: Service = prober.service(_port())
    elif arguments == ["recorder"]:
        service = recorder.service(
            _port(),
            Path(os.environ.get("AUDIT_LOG", "/var/log/kubernetes/kube-apiserver-audit.log")),
            Path(os.environ.get("STATE", "/var/lib/kubelab")),
            Api.inside(os.environ),
        )
    else:
        print(USAGE, file=sys.stderr)
        return 2
    threading.Thread(target=service.serve_forever, args=(0.1,), daemon=True).start()
    print(f"{arguments[0]} listens on port {service.server_address[1]}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    service.ended()
    return 0


def _port() -> int:
    return int(os.environ.get("PORT", "8080"))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # No question that is still under way holds up the end.
