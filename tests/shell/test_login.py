"""The way to the API server is found, with every proof of identity that a kubeconfig or a pod may hold."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
import yaml
from aiohttp import web

from fakeapi import Answer, FakeApi
from podgroup_operator.api import login
from podgroup_operator.api.cluster import Cluster
from podgroup_operator.api.login import Connection, LoginError, MountedAccount, connect
from podgroup_operator.api.refusals import Refused, Unreachable
from shell.operating import write_kubeconfig

SERVER = "http://10.0.0.1:6443"
PLUGIN = """#!/bin/sh
echo x >> {calls}
cat <<END
{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
 "status": {{"token": "token-$(wc -l < {calls} | tr -d ' ')", "expirationTimestamp": "2020-01-01T00:00:00Z"}}}}
END
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Give the path of a kubeconfig that is not there yet."""
    return tmp_path / "kubeconfig"


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a service account as the kubelet mounts it."""
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "ca.crt").write_bytes(trustme.CA().cert_pem.bytes())
    monkeypatch.setattr(login, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    return tmp_path


def test_a_kubeconfig_says_where_the_server_is(kubeconfig: Path) -> None:
    """Its path is joined to others, so it ends in no slash; over plain HTTP nothing is encrypted."""
    connection = connect(str(write_kubeconfig(kubeconfig, f"{SERVER}/")))
    assert (connection.server, connection.tls, connection.headers()) == (SERVER, None, {})


@pytest.mark.parametrize(("context", "namespace"), [({"namespace": "mine"}, "mine"), ({}, "default")])
def test_our_namespace_is_that_of_the_kubeconfigs_context(
    kubeconfig: Path, context: dict[str, str], namespace: str
) -> None:
    """As for kubectl; there the Lease is if nothing else is said."""
    config = yaml.safe_load(write_kubeconfig(kubeconfig, SERVER).read_text())
    config["contexts"][0]["context"] |= context
    kubeconfig.write_text(yaml.safe_dump(config))
    assert connect(str(kubeconfig)).namespace == namespace


def test_without_an_option_the_environments_kubeconfig_counts(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for kubectl."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(kubeconfig, SERVER)))
    assert connect().server == SERVER


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ({"token": "secret"}, "Bearer secret"),
        ({"username": "me", "password": "secret"}, "Basic " + base64.b64encode(b"me:secret").decode()),
    ],
)
def test_a_user_is_known_by_a_token_or_a_password(kubeconfig: Path, user: dict[str, str], header: str) -> None:
    """It is the Authorization header of every request."""
    connection = connect(str(write_kubeconfig(kubeconfig, SERVER, **user)))
    assert connection.headers() == {"Authorization": header}


def test_a_token_that_a_plugin_gives_is_renewed(kubeconfig: Path, tmp_path: Path) -> None:
    """When it has expired the plugin is asked again, while the operator runs."""
    plugin, calls = tmp_path / "plugin", tmp_path / "calls"
    plugin.write_text(PLUGIN.format(calls=calls))
    plugin.chmod(0o700)
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    connection = connect(str(write_kubeconfig(kubeconfig, SERVER, exec=command)))
    first, second = connection.authorization(), connection.authorization()
    assert first.startswith("Bearer token-")
    assert second.startswith("Bearer token-")
    assert first != second


@asynccontextmanager
async def https(authority: trustme.CA, name: str = "127.0.0.1", *, anybody: bool = False) -> AsyncIterator[str]:
    """Serve over TLS, to clients with a certificate of the same authority unless to anybody; give the address."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_NONE if anybody else ssl.CERT_REQUIRED

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"kind": "APIVersions"})

    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield "https://{}:{}".format(*runner.addresses[0])
    await runner.cleanup()


def certified(kubeconfig: Path, server: str, authority: trustme.CA, **cluster: object) -> Connection:
    """Connect by a kubeconfig with a client certificate, and this about the server."""
    certificate = authority.issue_cert("operator@example.com")
    user = {
        "client-certificate-data": encoded(certificate.cert_chain_pems[0].bytes()),
        "client-key-data": encoded(certificate.private_key_pem.bytes()),
    }
    config = yaml.safe_load(write_kubeconfig(kubeconfig, server, **user).read_text())
    config["clusters"][0]["cluster"] |= cluster
    kubeconfig.write_text(yaml.safe_dump(config))
    return connect(str(kubeconfig))


def encoded(data: bytes) -> str:
    """Write data as a kubeconfig holds it."""
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("trusting", [True, False], ids=["the server is verified", "the server is not verified"])
async def test_a_client_certificate_proves_who_we_are(kubeconfig: Path, *, trusting: bool) -> None:
    """And the server's is checked by the authority that the kubeconfig names, or by nobody if it says so."""
    authority = trustme.CA()
    data = {"certificate-authority-data": encoded(authority.cert_pem.bytes())}
    how: dict[str, object] = {**data} if trusting else {"insecure-skip-tls-verify": True}
    async with https(authority) as server, Cluster(certified(kubeconfig, server, authority, **how)) as cluster:
        assert await cluster.get("/api") == {"kind": "APIVersions"}


async def test_a_server_that_nobody_vouches_for_is_not_talked_to(kubeconfig: Path) -> None:
    """The error says that its certificate is the reason."""
    authority = trustme.CA()
    data = {"certificate-authority-data": encoded(trustme.CA().cert_pem.bytes())}
    async with https(authority) as server, Cluster(certified(kubeconfig, server, authority, **data)) as cluster:
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await cluster.get("/api")


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "just words",
        "[1, 2]",
        "clusters: [",
        "apiVersion: v1\nkind: Config\n",
        "apiVersion: v1\nkind: Config\ncurrent-context: none\ncontexts: []\nclusters: []\nusers: []\n",
    ],
    ids=["is missing", "is empty", "is no mapping", "is a list", "is no YAML", "is bare", "has no such context"],
)
def test_a_bad_kubeconfig_is_named_with_a_remedy(kubeconfig: Path, text: str | None) -> None:
    """In one line: which file, what is wrong with it, and how to give another."""
    if text is not None:
        kubeconfig.write_text(text)
    with pytest.raises(LoginError) as error:
        connect(str(kubeconfig))
    words = str(error.value)
    assert words.startswith(f"The kubeconfig {kubeconfig} cannot be used: ")
    assert "--kubeconfig" in words
    assert "\n" not in words


def test_a_certificate_that_is_none_is_a_bad_kubeconfig(kubeconfig: Path) -> None:
    """Whatever stands where a certificate belongs."""
    with pytest.raises(LoginError, match="cannot be used"):
        certified(kubeconfig, "https://10.0.0.1", trustme.CA(), **{"certificate-authority-data": encoded(b"nonsense")})


def test_in_a_pod_the_service_account_is_the_way(account: Path) -> None:
    """By TLS, to the address in the environment, with its token, and past no proxy; its namespace is ours."""
    (account / "namespace").write_text("podgroup-system\n")
    connection = connect()
    assert (connection.namespace, connection.proxy) == ("podgroup-system", "")
    assert connection.server == "https://10.0.0.1:6443"
    assert connection.headers() == {"Authorization": "Bearer first"}
    assert connection.tls is not None
    assert connection.tls.verify_mode == ssl.CERT_REQUIRED


def test_an_ipv6_address_is_put_in_brackets(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a URL has it."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    assert connect().server == "https://[fd00::1]:6443"


def test_a_kubeconfig_that_is_given_counts_even_in_a_pod(account: Path, kubeconfig: Path) -> None:
    """Whoever gives one means it."""
    assert connect(str(write_kubeconfig(kubeconfig, SERVER))).server == SERVER


def proved_by(mounted: MountedAccount, server: str) -> Connection:
    """Connect to a server by a service account."""
    return Connection(
        server, mounted.tls if server.startswith("https:") else None, mounted.authorization, mounted.renew
    )


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Give the seconds."""
        return self.now


def test_a_token_is_read_again_when_a_minute_has_passed(account: Path) -> None:
    """The kubelet renews it; not every request reads it."""
    clock = Clock()
    mounted = MountedAccount(account, clock)
    assert mounted.authorization() == "Bearer first"
    (account / "token").write_text("second")
    assert mounted.authorization() == "Bearer first"
    clock.now += 60
    assert mounted.authorization() == "Bearer second"


async def test_a_token_that_is_not_accepted_is_read_again_at_once(account: Path) -> None:
    """The request that was refused is lost, the next one brings the new token."""
    mounted = MountedAccount(account, Clock())
    async with FakeApi() as api, Cluster(proved_by(mounted, api.url)) as cluster:
        await cluster.get("/api/v1/pods")
        (account / "token").write_text("second")
        api.faults.add(Answer(401))
        with pytest.raises(Refused):
            await cluster.get("/api/v1/pods")
        assert mounted.authorization() == "Bearer second"


@pytest.mark.parametrize("text", [None, "", "\n"], ids=["no file", "an empty file", "an empty line"])
def test_a_token_that_cannot_be_read_stays_as_it_was(account: Path, text: str | None) -> None:
    """The file is about to be replaced, or the volume is ill; the token may be good for an hour yet."""
    clock = Clock()
    mounted = MountedAccount(account, clock)
    assert mounted.authorization() == "Bearer first"
    if text is None:
        (account / "token").unlink()
    else:
        (account / "token").write_text(text)
    for _ in range(2):
        clock.now += 60
        assert mounted.authorization() == "Bearer first"
    (account / "token").write_text("second")
    clock.now += 60
    assert mounted.authorization() == "Bearer second"


async def test_without_a_token_nothing_is_asked(account: Path) -> None:
    """The answer is that there is no way to the API server, and why; it is looked for at each request."""
    mounted = MountedAccount(account, Clock())
    (account / "token").write_text("")
    async with FakeApi() as api, Cluster(proved_by(mounted, api.url)) as cluster:
        with pytest.raises(Unreachable, match="there is no token in "):
            await cluster.get("/api/v1/pods")
        assert api.requests == []
        (account / "token").write_text("first")
        await cluster.get("/api/v1/pods")


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_service_account_without_certificates_is_named_with_a_remedy(account: Path, text: str | None) -> None:
    """It is the first thing that is read, and nothing can be said to a server that cannot be recognized."""
    (account / "ca.crt").unlink()
    if text:
        (account / "ca.crt").write_text(text)
    with pytest.raises(LoginError, match=r"The service account in .* cannot be used: .*automountServiceAccountToken"):
        connect()


async def test_an_authority_that_is_new_is_trusted_within_a_minute(account: Path) -> None:
    """A cluster that rotates its CA puts the new certificates into the same file; nothing has to be restarted."""
    old, new, clock = trustme.CA(), trustme.CA(), Clock()
    (account / "ca.crt").write_bytes(old.cert_pem.bytes())
    mounted = MountedAccount(account, clock)
    async with https(new, anybody=True) as server, Cluster(proved_by(mounted, server)) as cluster:
        with pytest.raises(Unreachable, match="certificate"):
            await cluster.get("/api")
        (account / "ca.crt").write_text("")
        clock.now += 60
        mounted.authorization()
        (account / "ca.crt").write_bytes(old.cert_pem.bytes() + new.cert_pem.bytes())
        clock.now += 60
        assert await cluster.get("/api") == {"kind": "APIVersions"}


async def test_an_authority_that_is_taken_out_is_trusted_no_longer(account: Path) -> None:
    """Its key may be known to somebody: that is why CAs are rotated."""
    old, new, clock = trustme.CA(), trustme.CA(), Clock()
    (account / "ca.crt").write_bytes(old.cert_pem.bytes() + new.cert_pem.bytes())
    mounted = MountedAccount(account, clock)
    async with https(old, anybody=True) as server, Cluster(proved_by(mounted, server)) as cluster:
        (account / "ca.crt").write_bytes(new.cert_pem.bytes())
        clock.now += 60
        mounted.authorization()
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await cluster.get("/api")


async def test_a_server_may_be_certified_by_another_name(kubeconfig: Path) -> None:
    """By tls-server-name, as where it is reached through a tunnel."""
    authority = trustme.CA()
    data = {"certificate-authority-data": encoded(authority.cert_pem.bytes())}
    async with https(authority, "kubernetes.default.svc") as server:
        async with Cluster(certified(kubeconfig, server, authority, **data)) as cluster:
            with pytest.raises(Unreachable, match="certificate verify failed"):
                await cluster.get("/api")
        name = {"tls-server-name": "kubernetes.default.svc"}
        async with Cluster(certified(kubeconfig, server, authority, **data, **name)) as cluster:
            assert await cluster.get("/api") == {"kind": "APIVersions"}


async def test_a_server_that_is_not_verified_is_warned_of(kubeconfig: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is obeyed, and nobody can say later that it was not told."""
    certified(kubeconfig, "https://10.0.0.1", trustme.CA(), **{"insecure-skip-tls-verify": True})
    assert [text for text in caplog.messages if "insecure-skip-tls-verify" in text]


def proxied(kubeconfig: Path, server: str, proxy: str) -> Connection:
    """Connect by a kubeconfig that names a proxy."""
    config = yaml.safe_load(write_kubeconfig(kubeconfig, server).read_text())
    config["clusters"][0]["cluster"]["proxy-url"] = proxy
    kubeconfig.write_text(yaml.safe_dump(config))
    return connect(str(kubeconfig))


async def test_a_proxy_is_gone_through(kubeconfig: Path) -> None:
    """Which the kubeconfig names by proxy-url; its address is all that we connect to."""
    async with FakeApi() as proxy:
        async with Cluster(proxied(kubeconfig, "http://api.example.com", proxy.url)) as cluster:
            await cluster.get("/api/v1/pods")
        assert [request.verb for request in proxy.requests] == ["list"]


def test_a_proxy_of_another_kind_is_named(kubeconfig: Path) -> None:
    """Rather than passed by, which its owner would not want."""
    with pytest.raises(LoginError, match="socks5"):
        proxied(kubeconfig, SERVER, "socks5://127.0.0.1:1080")
