"""A Secret with a certificate as a check reads it, beside the certificate that is shown."""

from __future__ import annotations

import base64
import ssl
import time
from typing import TYPE_CHECKING

from kubelab import envoy, routing
from kubelab.ask import TlsAnswer
from kubelab.objects import dig, stamp
from kubelab.seen import Seen
from kubelab.views.base import View

if TYPE_CHECKING:
    from kubelab.checking import LabView

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# Seconds by which two clocks may differ.
CLOCKS = 5.0


class CertificateView(View):
    """One Secret, and what is shown to whoever asks for `<label>.<namespace>.localhost`."""

    KIND = "Secret"

    def __init__(self, lab: LabView, name: str, label: str) -> None:
        super().__init__(lab, name)
        self.host = routing.host_of(label, lab.namespace)
        self._answer = TlsAnswer()
        if self.body is not None:
            self._answer = envoy.certificate(lab.cluster, self.host)

    @property
    def shown(self) -> Seen:
        """Whether the certificate that is shown for the host is the one in the Secret."""
        mine, theirs = leaf(self._pem), leaf(self._answer.certificate or "")
        if mine is not None and mine != theirs and self._is_asked_for:
            self._lab.unfollowed = True
        other = f"a certificate for {', '.join(self._answer.names) or 'nobody'} is shown"
        return self._seen(
            mine is not None and mine == theirs,
            "shown",
            "other-certificate",
            show=lambda one: "its certificate is shown" if one else other,
            found=None if self._answer.ok else f"no certificate: {self._answer.error}",
        )

    @property
    def names_host(self) -> Seen:
        """Whether the certificate is for the host; a wildcard covers one label."""
        names = self._answer.names
        return self._seen(
            any(routing.covers(one, self.host) for one in names),
            "names",
            "wrong-certificate-name",
            show=lambda one: f"for {self.host}" if one else f"for {', '.join(names) or 'no name'}",
        )

    @property
    def in_date(self) -> Seen:
        """Whether the certificate is valid now."""
        begin, end, now = self._answer.not_before, self._answer.not_after, time.time()
        good = begin is not None and end is not None and begin - CLOCKS <= now <= end
        told = f"valid from {day(begin)} to {day(end)}"
        return self._seen(
            good,
            "dates",
            "expired-certificate",
            show=lambda one: "valid now" if one else told,
        )

    @property
    def _is_asked_for(self) -> bool:
        """Whether an Ingress that is served shows it for the host."""
        return any(
            entry.get("secretName") == self.name and self.host in (entry.get("hosts") or ())
            for one in self._lab.snapshot.kind("Ingress").values()
            if routing.is_served(one)
            for entry in dig(one, "spec", "tls") or ()
        )

    @property
    def _pem(self) -> str:
        """The certificates in the Secret."""
        found = dig(self.body, "data", "tls.crt") or ""
        return base64.b64decode(found).decode("ascii", "replace")


def leaf(pem: str) -> bytes | None:
    """The first certificate of a PEM text, in DER; None where there is none."""
    _, begin, rest = pem.partition(BEGIN)
    body, end, _ = rest.partition(END)
    if not begin or not end:
        return None
    try:
        return ssl.PEM_cert_to_DER_cert(f"{BEGIN}{body}{END}")
    except ValueError:
        return None


def day(at: float | None) -> str:
    """A date as people write it."""
    return stamp(at)[:10] if at is not None else "never"
