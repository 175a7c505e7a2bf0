# The operator's image: two stages, so that nothing that builds is in what runs.
#   make image, or: docker build -t podgroup-operator .
# BASE_IMAGE may be any image with Python 3.11 or newer and its venv module. This one is named by its digest, the index of all
# architectures, for a tag may be another image tomorrow. To raise it: docker buildx imagetools inspect python:3.11-slim
ARG BASE_IMAGE=python:3.11.17-slim@sha256:45037981b62b34b44602584fccbc4d884d5f7dc92c7ee86bb38a698a79fe1e51

FROM ${BASE_IMAGE} AS build
ARG UV_VERSION=0.13.9
# Given only on a machine with certificate authorities of its own.
ARG SSL_CERT_FILE
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_NO_DEV=1 UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=/app
RUN python3 -m venv /uv && /uv/bin/pip install --no-cache-dir --disable-pip-version-check uv==${UV_VERSION}
WORKDIR /src
# The dependencies change seldom and the code often: each has a layer of its own.
# Without the client that reads kubeconfigs: it is 120 MB with its bytecode, and a pod logs in by its service account.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN /uv/bin/uv sync --locked --no-install-package kubernetes --no-install-project
COPY operator operator
RUN /uv/bin/uv sync --locked --no-install-package kubernetes --no-editable

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION
LABEL org.opencontainers.image.title="podgroup-operator" \
      org.opencontainers.image.description="Keeps N pods alive on Kubernetes, and shows that it did" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /app /app
# LOGNAME, because kopf asks who it is, and a number that no /etc/passwd knows has no name.
ENV PATH=/app/bin:$PATH LOGNAME=podgroup-operator PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, because `runAsNonRoot` cannot check a name.
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["podgroup-operator"]
CMD ["run"]
