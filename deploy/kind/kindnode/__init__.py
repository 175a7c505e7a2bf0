"""kind on a machine without Docker and without an image registry: a real kubelet, real containers.

kind needs a container engine and an image of a node. The engine is podman, told what it must know to run a node
(`podman`); the node image is made here, once, from Debian's packages and from Kubernetes' own sources (`debian`,
`programs`, `images`, `node`). `cli` is kind's command line with both in place, so that whoever knows kind, pytest-kind
above all, needs nothing new. `operator_image` and `busybox` make the images that are loaded into such a cluster, and
`kwok` joins pretended nodes to it.

Everything lies in the cache, apart from what the user's own podman has. README.md beside this package says how to use
it.
"""
