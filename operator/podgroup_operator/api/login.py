"""How to reach the API server: in a pod by its service account, elsewhere by a kubeconfig file.

Inside a cluster the token and the certificates are files that the kubelet renews, so they are read again every minute,
and at once when the API server no longer accepts the token. Outside, the official client reads kubeconfig files
(contexts, certificates, exec plugins); it is imported only then, for it is 43 MiB of modules. That is for development:
an exec plugin holds everything up while it runs, and certificates are read once. A problem here is the user's to
solve, so every error is a sentence that says how.
"""

import logging
import os
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from podgroup_operator.api.trust import Trust
from podgroup_operator.hopeless import Hopeless

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
FRESH = 60.0  # seconds until the files are read again; the kubelet renews a token long before it expires

logger = logging.getLogger(__name__)


def nothing() -> None:
    """Do nothing."""


class LoginError(Hopeless):
    """No way to the API server is configured, or the one that is cannot be used."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API server is and how to prove who we are.

    Attributes:
        server: its URL without a trailing slash.
        tls: the TLS context; None for plain HTTP.
        authorization: gives the current Authorization header, "" if the TLS certificate is the proof; an OSError if
            it cannot be read.
        renew: told that the server has not accepted it.
        proxy: the URL of a proxy on the way; "" is none.
        namespace: our own: the pod's, or the one that the kubeconfig's context names.
    """

    server: str
    tls: ssl.SSLContext | None
    authorization: Callable[[], str]
    renew: Callable[[], None] = nothing
    proxy: str = field(default="", kw_only=True)
    namespace: str = field(default="default", kw_only=True)

    def headers(self) -> dict[str, str]:
        """Give the headers of the next request."""
        authorization = self.authorization()
        return {"Authorization": authorization} if authorization else {}


def connect(kubeconfig: str = "") -> Connection:
    """Find the API server: the kubeconfig that is given, else the cluster we run in, else the user's kubeconfig.

    Raises:
        LoginError: with a sentence for the user.
    """
    if not kubeconfig and "KUBERNETES_SERVICE_HOST" in os.environ and (SERVICE_ACCOUNT / "token").exists():
        return connect_in_cluster(SERVICE_ACCOUNT)
    return connect_by_kubeconfig(kubeconfig or os.environ.get("KUBECONFIG", ""))


def connect_in_cluster(account: Path) -> Connection:
    """Use the service account that Kubernetes mounts into every pod."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    host = f"[{host}]" if ":" in host else host
    try:
        mounted = MountedAccount(account)
    except (OSError, ValueError) as error:
        raise LoginError(
            f"The service account in {account} cannot be used: {error}. Check the pod's automountServiceAccountToken, "
            "and that its user may read these files."
        ) from error
    file = account / "namespace"
    namespace = file.read_text().strip() if file.exists() else "default"
    return Connection(f"https://{host}:{port}", mounted.tls, mounted.authorization, mounted.renew, namespace=namespace)


class MountedAccount:
    """A service account's files, which somebody else renews.

    What cannot be read just now stays as it was: it may be about to be replaced.

    Attributes:
        tls: the TLS context; it trusts the certificates that are in `ca.crt` now.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._certificates = self._read("ca.crt")
        self.tls = Trust.of(ssl.create_default_context(cadata=self._certificates))
        self._header = ""
        self._stale_at = 0.0

    def authorization(self) -> str:
        """Give the Authorization header.

        Raises:
            OSError: if there never was a token that could be read.
        """
        if self._clock() >= self._stale_at:
            self._stale_at = self._clock() + FRESH
            try:
                self._refresh()
            except (OSError, ValueError) as error:
                logger.warning("The service account cannot be read again, and is used as it was: %s", error)
        if not self._header:
            self.renew()
            raise OSError(f"there is no token in {self._folder}")
        return self._header

    def renew(self) -> None:
        """Read the files again before the next request."""
        self._stale_at = 0.0

    def _refresh(self) -> None:
        token = self._read("token").strip()
        if token:
            self._header = f"Bearer {token}"
        certificates = self._read("ca.crt")
        if certificates != self._certificates:
            self.tls.current = ssl.create_default_context(cadata=certificates)
            self._certificates = certificates

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text()


def connect_by_kubeconfig(path: str) -> Connection:
    """Use the current context of a kubeconfig file, with its certificates, tokens and exec plugins."""
    try:
        from yaml import YAMLError  # noqa: PLC0415 - comes with the client

        from kubernetes import client, config  # noqa: PLC0415 - heavy, and not needed inside a cluster
    except ImportError as error:
        raise LoginError(
            "There is no service account here, and reading a kubeconfig takes the package `kubernetes`, which is not "
            "installed (the image leaves it out). Run the operator in a pod, or from `pip install podgroup-operator`."
        ) from error

    configuration = client.Configuration()
    try:
        config.load_kube_config(path or None, client_configuration=configuration, persist_config=False)  # type: ignore[no-untyped-call]
        tls = tls_context(configuration) if configuration.host.startswith("https:") else None
        context = config.list_kube_config_contexts(path or None)[1]["context"]  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError, ValueError, KeyError, TypeError, YAMLError) as error:
        exists = any(Path(each).exists() for each in path.split(os.pathsep)) or not path
        reason = " ".join(str(error).split()).rstrip(".") if exists else "there is no such file"
        raise LoginError(
            f"The kubeconfig {path or '~/.kube/config'} cannot be used: {reason}. "
            "Give a good one with --kubeconfig or in KUBECONFIG; `kubectl config view` shows what is in it."
        ) from error

    def authorization() -> str:
        return configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""

    if configuration.proxy and not configuration.proxy.startswith(("http://", "https://")):
        raise LoginError(
            f"proxy-url in the kubeconfig is no HTTP proxy, and no other kind is known: {configuration.proxy}"
        )
    return Connection(
        configuration.host.rstrip("/"),
        tls,
        authorization,
        proxy=configuration.proxy or "",
        namespace=context.get("namespace") or "default",
    )


def tls_context(configuration: object) -> Trust:
    """Build the TLS context that a kubeconfig describes."""
    context = ssl.create_default_context(cafile=getattr(configuration, "ssl_ca_cert", None))
    certificate = getattr(configuration, "cert_file", None)
    if certificate:
        context.load_cert_chain(certificate, getattr(configuration, "key_file", None))
    if not getattr(configuration, "verify_ssl", True):
        logger.warning(
            "The kubeconfig says insecure-skip-tls-verify: whoever is on the way can read our credentials, and answer "
            "in the API server's place. Give its certificate-authority instead."
        )
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return Trust.of(context, getattr(configuration, "tls_server_name", None) or "")
