# The operator's image: two stages, so that nothing that builds is in what runs.
#   make image, or: docker build -t podgroup-operator .
# BASE_IMAGE may be any image with Python 3.11 or newer, python3-venv in the first stage, and CA certificates.
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS build
ARG UV_VERSION=0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_DEV=1 UV_PYTHON_DOWNLOADS=0 UV_PROJECT_ENVIRONMENT=/app
RUN python3 -m venv /uv && /uv/bin/pip install --no-cache-dir uv==${UV_VERSION}
WORKDIR /src
# The dependencies change seldom and the code often: each has a layer of its own.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN /uv/bin/uv sync --locked --no-install-project
COPY operator operator
RUN /uv/bin/uv sync --locked --no-editable

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="podgroup-operator" \
      org.opencontainers.image.description="Keeps N pods alive on Kubernetes, and shows that it did" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, because `runAsNonRoot` cannot check a name.
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["podgroup-operator"]
CMD ["run"]
