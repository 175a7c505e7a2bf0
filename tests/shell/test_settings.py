"""The command line and the environment, and which of them wins."""

import pytest

from podgroup_operator.settings import Settings, read_settings


def test_nothing_given_means_the_defaults() -> None:
    """All namespaces, the way in found by itself, port 8080, INFO."""
    assert read_settings(["run"], {}) == Settings()
    assert Settings() == Settings((), "", leader_elect=True, http=":8080", log_level="INFO")


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["--namespace", "a", "--namespace=b"], {}, Settings(namespaces=("a", "b"))),
        ([], {"PODGROUP_NAMESPACE": "a, b,,"}, Settings(namespaces=("a", "b"))),
        (["--namespace=a"], {"PODGROUP_NAMESPACE": "b"}, Settings(namespaces=("a",))),
        (["--kubeconfig=f"], {"PODGROUP_KUBECONFIG": "g"}, Settings(kubeconfig="f")),
        ([], {"PODGROUP_KUBECONFIG": "g", "KUBECONFIG": "h"}, Settings(kubeconfig="g")),
        (["--http=127.0.0.1:0"], {"PODGROUP_HTTP": ":1"}, Settings(http="127.0.0.1:0")),
        ([], {"PODGROUP_HTTP": ":1"}, Settings(http=":1")),
        (["--log-level=DEBUG"], {"PODGROUP_LOG_LEVEL": "ERROR"}, Settings(log_level="DEBUG")),
        ([], {"PODGROUP_LOG_LEVEL": "ERROR"}, Settings(log_level="ERROR")),
        (["--log-format=json"], {"PODGROUP_LOG_FORMAT": "text"}, Settings(log_format="json")),
        ([], {"PODGROUP_LOG_FORMAT": "json"}, Settings(log_format="json")),
        (["--no-leader-elect"], {}, Settings(leader_elect=False)),
        ([], {"PODGROUP_NO_LEADER_ELECT": "true"}, Settings(leader_elect=False)),
        ([], {"PODGROUP_NO_LEADER_ELECT": "false"}, Settings()),
        (["--namespace=a", "--namespace=a"], {}, Settings(namespaces=("a",))),
        ([], {"PODGROUP_POD_UID": "u"}, Settings(pod_uid="u")),
        (["--pod-annotation=a/b=c=d", "--pod-annotation=e="], {}, Settings(pod_annotations={"a/b": "c=d", "e": ""})),
        ([], {"PODGROUP_POD_ANNOTATION": "a/b=c, d\ne=f"}, Settings(pod_annotations={"a/b": "c, d", "e": "f"})),
        (["--pod-annotation=a=b"], {"PODGROUP_POD_ANNOTATION": "c=d"}, Settings(pod_annotations={"a": "b"})),
        ([], {"PODGROUP_NAMESPACE": "", "PODGROUP_HTTP": "", "PODGROUP_LOG_LEVEL": ""}, Settings()),
    ],
)
def test_the_command_line_wins_over_the_environment(
    arguments: list[str], environment: dict[str, str], expected: Settings
) -> None:
    """Each option has a variable; one that is empty is as good as none, as a Deployment has it."""
    assert read_settings(["run", *arguments], environment) == expected


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ([], {}, "the following arguments are required: command"),
        (["walk"], {}, "invalid choice: 'walk'"),
        (["run", "--log-level=LOUD"], {}, "invalid choice: 'LOUD'"),
        (["run"], {"PODGROUP_LOG_LEVEL": "LOUD"}, "'LOUD' is no log level: choose one of DEBUG, INFO, WARNING, ERROR"),
        (["run"], {"PODGROUP_LOG_FORMAT": "xml"}, "'xml' is no log format: choose one of text, json"),
        (["run", "--http=here"], {}, "'here' is no address to listen on: write host:port or :port"),
        (["run"], {"PODGROUP_HTTP": "localhost:http"}, "'localhost:http' is no address to listen on"),
        (["run", "--pod-annotation=note"], {}, "'note' is no annotation for pods: write key=value"),
        (["run", "--pod-annotation=a b=c"], {}, "'a b=c' is no annotation for pods"),
        (["run"], {"PODGROUP_POD_ANNOTATION": "selfheal.dev/keep=true"}, "the key may not begin with selfheal.dev/"),
        (["run", "--http=:65536"], {}, "':65536' is no address to listen on"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], environment: dict[str, str], words: str
) -> None:
    """On standard error, with exit code 2, wherever it comes from."""
    with pytest.raises(SystemExit) as exit_:
        read_settings(arguments, environment)
    assert exit_.value.code == 2
    assert words in capsys.readouterr().err
