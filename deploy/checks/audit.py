"""`python -m checks.audit`: has pip-audit ask osv.dev for known vulnerabilities of the packages on standard input.

They come as `uv export` writes them. A package that nothing could be learnt of is not a package without
vulnerabilities: where OSV cannot be reached, a sentence says so. That is a failure only with --required, so that the
same command can be run on a machine without the Internet.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

PIP_AUDIT = Path(sys.executable).with_name("pip-audit")


@dataclass(frozen=True)
class Answer:
    """What was learnt of the packages: sentences about the vulnerable ones, and about those that remain unknown."""

    packages: int = 0
    vulnerable: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def ask(requirements: str, *options: str) -> Answer:
    """Run pip-audit on pinned requirements with hashes; the options are its own."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirements)
        file.flush()
        command = [str(PIP_AUDIT), f"--requirement={file.name}", "--disable-pip", "--require-hashes"]
        answer = subprocess.run(  # noqa: S603 -- from our own environment
            [*command, "--vulnerability-service=osv", "--format=json", "--progress-spinner=off", *options],
            capture_output=True,
            text=True,
            check=False,
        )
    return read(answer.stdout, answer.stderr)


def read(report: str, errors: str) -> Answer:
    """Return what pip-audit's report says; it ends with 1 for a vulnerability as for a network that is down."""
    try:
        packages = json.loads(report)["dependencies"]
    except json.JSONDecodeError:
        reason = errors.strip().splitlines()[-1:] or ["pip-audit said nothing"]
        return Answer(unknown=[f"any package: {reason[0]}"])
    if not packages:
        return Answer(unknown=["any package: none was given"])
    vulnerable = [
        f"{package['name']} {package['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'none'}"
        for package in packages
        for found in package.get("vulns", [])
    ]
    unknown = [package["skip_reason"] for package in packages if "skip_reason" in package]
    return Answer(len(packages), vulnerable, unknown)


def verdict(answer: Answer, *, required: bool) -> tuple[int, str]:
    """Return the exit code and what to tell."""
    if answer.vulnerable:
        return 1, "\n".join(["Vulnerable; upgrade with `uv lock --upgrade-package NAME`:", *answer.vulnerable])
    if answer.unknown:
        told = "\n".join(["Could not ask for known vulnerabilities, so nothing is known of:", *answer.unknown])
        return int(required), told
    return 0, f"None of {answer.packages} packages has a known vulnerability."


def main() -> None:
    """Ask, tell, and end with 1 if something is vulnerable or, with --required, could not be asked."""
    parser = argparse.ArgumentParser(prog="python -m checks.audit", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--required", action="store_true", help="fail if OSV cannot be asked")
    parser.add_argument("--osv-url", help="ask here instead of osv.dev")
    options = parser.parse_args()
    where = [f"--osv-url={options.osv_url}"] if options.osv_url else []
    code, told = verdict(ask(sys.stdin.read(), *where), required=options.required)
    sys.stderr.write(told + "\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
