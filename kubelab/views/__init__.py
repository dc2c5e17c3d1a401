"""What a check reads of the cluster's objects: one view a kind, every value remembers its use."""

from kubelab.views.answers import AnswerView, Asking
from kubelab.views.callers import CallerView
from kubelab.views.certificates import CertificateView
from kubelab.views.cronjobs import CronJobView
from kubelab.views.deployments import DeploymentView
from kubelab.views.exits import ExitsView
from kubelab.views.files import FileView
from kubelab.views.httproutes import RouteView
from kubelab.views.ingresses import IngressView
from kubelab.views.jobs import JobView
from kubelab.views.kept import KeptView
from kubelab.views.members import MembersView
from kubelab.views.pods import PodView
from kubelab.views.repaired import RepairedView
from kubelab.views.services import AnswersView, ServiceView
from kubelab.views.shards import ShardsView, TotalView
from kubelab.views.shares import SharesView
from kubelab.views.taken_out import TakenOutView
from kubelab.views.visits import VisitsView

__all__ = [
    "AnswerView",
    "AnswersView",
    "Asking",
    "CallerView",
    "CertificateView",
    "CronJobView",
    "DeploymentView",
    "ExitsView",
    "FileView",
    "IngressView",
    "JobView",
    "KeptView",
    "MembersView",
    "PodView",
    "RepairedView",
    "RouteView",
    "ServiceView",
    "ShardsView",
    "SharesView",
    "TakenOutView",
    "TotalView",
    "VisitsView",
]
