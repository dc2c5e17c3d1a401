"""What a check reads of the cluster's objects: one view a kind, every value remembers its use."""

from kubelab.views.answers import AnswerView, Asking
from kubelab.views.pods import PodView

__all__ = ["AnswerView", "Asking", "PodView"]
