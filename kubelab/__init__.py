"""kubelab: a hands-on Kubernetes course. A notebook imports these names and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubelab.notebook import (
        check,
        diff,
        hint,
        observe,
        predict,
        reset,
        status,
        topology,
        watch,
    )

# No module of the package may have one of these names: it would hide the function.
__all__ = ["check", "diff", "hint", "observe", "predict", "reset", "status", "topology", "watch"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: `./lab` imports this package and needs none of the notebook's.
    if name in __all__:
        import kubelab.notebook

        return getattr(kubelab.notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
