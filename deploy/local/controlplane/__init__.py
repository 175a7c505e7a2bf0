"""A real Kubernetes control plane as plain processes of the user: no Docker, no root, seconds to start.

kind needs a container engine; fault tests, benchmarks and the demo need a cluster where there is none, and one that
is ready before one has forgotten why one wanted it. So `programs` and `build` compile Kubernetes' own programs
once, `components` says how each is started, `cluster` starts and removes them, and `cli` speaks the part of kind's
command line that pytest-kind uses, so that pytest-kind's own `kind_cluster` fixture works with either. Nodes and
running pods are pretended by kwok.

README.md beside this package says how to use it.
"""
