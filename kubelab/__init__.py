"""kubelab: a hands-on Kubernetes course. A notebook imports these names and nothing else."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubelab.notebook import check, hint, observe, predict

__all__ = ["check", "hint", "observe", "predict"]


class _Package(ModuleType):
    """This package, whose public names are the notebook's, whatever modules it also has."""

    def __getattr__(self, name: str) -> Any:
        # Loaded on first use: `./lab` imports this package and needs none of the notebook's.
        if name in __all__:
            import kubelab.notebook

            return getattr(kubelab.notebook, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        # Importing the module kubelab.observe binds it here, over the function of that name.
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *__all__])


sys.modules[__name__].__class__ = _Package
