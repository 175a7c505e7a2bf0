# Every target works from a fresh clone: what it needs it sets up first.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CACHE := $(or $(PODGROUP_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/podgroup)
UV_VERSION := 0.13.9
UV := $(CACHE)/uv-$(UV_VERSION)/bin/uv
PY := .venv/bin/python
LOCAL := PYTHONPATH=deploy/local $(PY) -m controlplane
# The kubectl that was built with the control plane: there may be no other.
KUBECTL = $$(PYTHONPATH=deploy/local $(PY) -c 'from controlplane.programs import KUBECTL; print(KUBECTL.path)')
# Real containers need kind, with Docker or without, or a cluster of the user's own.
ON_KIND = $(or $(PODGROUP_CLUSTER),kind)
# What measures how long one heal takes.
MEASURED := beside_a_replicaset one_heal poisoned_groups rollouts
SBOM := dist/sbom.cdx.json

##@ Use

.PHONY: help
help: ## Show this help
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z0-9-]+:.*##/ {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: setup ## Watch a PodGroup heal on KUBECONFIG's cluster, else kind with Docker, else one of its own; CLUSTER=local|kind|existing
	@PYTHONPATH=deploy:deploy/local:deploy/kind $(PY) -m demo

##@ Develop

.PHONY: setup
setup: .venv/.complete ## Make the environment in .venv

.venv/.complete: uv.lock pyproject.toml | $(UV)
	@$(UV) sync --locked --quiet
	@touch $@

$(UV):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: install it (Debian: apt-get install python3 python3-venv)." >&2; exit 1; }
	@echo "Setting up uv $(UV_VERSION) in $(dir $(@D))"
	@python3 -m venv $(dir $(@D)) && $(dir $(@D))bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.PHONY: lint
lint: setup ## Check style, types, the direction of imports, insecure calls, and the manifests
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache --no-logo
	@.venv/bin/bandit --quiet --configfile=pyproject.toml --recursive operator deploy crds
	@PYTHONPATH=deploy:deploy/local $(PY) -m checks

.PHONY: audit
audit: setup ## Ask osv.dev for known vulnerabilities of what uv.lock pins; AUDIT=--required: fail if it cannot be asked
	@set -o pipefail; $(UV) export --locked --quiet --no-emit-project --all-groups | PYTHONPATH=deploy $(PY) -m checks.audit $(AUDIT)

.PHONY: sbom
sbom: setup ## Write what Python packages the image has to dist/sbom.cdx.json, as CycloneDX
	@mkdir -p $(dir $(SBOM))
	@$(UV) export --locked --quiet --no-dev --no-emit-package=kubernetes --format=cyclonedx1.5 --preview-features=sbom-export --output-file=$(SBOM)

.PHONY: format
format: setup ## Format the code
	@.venv/bin/ruff check --fix-only . && .venv/bin/ruff format .

.PHONY: test
test: lint ## Run lint and every test: core, shell, a real control plane, faults, and real containers on kind
	@# On clusters most of the time is spent waiting: two lanes, and whichever is free takes the next part.
	@echo "Tests on kind, tests without a cluster, and the end-to-end tests in four parts, two at a time: about 20 minutes in all."
	@echo "Each part shows what it says when it has ended; the first one after about 8 minutes."
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target kind-all unit $(QUARTERS)
	@# How long one heal or rollout takes is for `make bench` to judge: beside other work on the machine it says more of that work.
	@PODGROUP_CLUSTER=$(or $(PODGROUP_CLUSTER),local) $(PY) -m pytest tests/faults tests/bench $(MEASURED:%=--ignore=tests/bench/test_%.py)

# Every fourth file each: on a control plane of its own most of the time is spent waiting.
QUARTERS := e2e-1 e2e-2 e2e-3 e2e-4
.PHONY: $(QUARTERS)
$(QUARTERS): e2e-%: setup
	@PODGROUP_CLUSTER=$(or $(PODGROUP_CLUSTER),local) $(PY) -m pytest $$(ls tests/e2e/test_*.py | sed -n '$*~4p')

.PHONY: kind-all
kind-all: setup
	@PODGROUP_CLUSTER=$(ON_KIND) $(PY) -m pytest tests/installed tests/kind

.PHONY: unit
unit: setup ## Run the tests that need no cluster
	@$(PY) -m pytest --ignore=tests/e2e --ignore=tests/installed --ignore=tests/faults --ignore=tests/bench --ignore=tests/kind

.PHONY: e2e
e2e: setup ## Run the end-to-end tests: on a real control plane, and installed by the chart on kind
	@$(PY) -m pytest tests/e2e
	@PODGROUP_CLUSTER=$(ON_KIND) $(PY) -m pytest tests/installed

.PHONY: bench
bench: setup ## Measure: heals beside a ReplicaSet's, also beside groups that cannot be helped, a mass kill, many groups, memory
	@$(PY) -m pytest tests/bench -s

.PHONY: look-cost
look-cost: setup ## Print what processor time one look at a group takes, by its size, as a table
	@PYTHONPATH=tests $(PY) -m bench.look_cost

.PHONY: faults
faults: setup ## Break what is between operator and API server in every way; SEED=n draws other plans, K=word picks some
	@$(PY) -m pytest -q tests/faults --all-plans --plans-at-once=3 --seed=$(or $(SEED),1) $(if $(K),-k "$(K)")

.PHONY: rollouts
rollouts: setup ## Roll a group of 6 through 20 random steps and kills, 25 times in a row (ROLLOUT_SEEDS)
	@ROLLOUT_SEEDS=$(or $(ROLLOUT_SEEDS),25) $(PY) -m pytest tests/e2e/test_rollout.py -k whatever_happens

.PHONY: soak
soak: setup ## Half an hour (SOAK_MINUTES) of random kills, faults and restarts; SEED=n
	@SOAK_MINUTES=$(or $(SOAK_MINUTES),30) $(PY) -m pytest -s tests/faults/test_soak.py --seed=$(or $(SEED),1)

.PHONY: simulate
simulate: setup ## Simulate the whole operator in virtual time, for HOURS (0.1): SEED=n is the first; a failure tells its story
	@PYTHONPATH=tests $(PY) -m simulate --hours=$(or $(HOURS),0.1) --seed=$(or $(SEED),1) --at-once=$(or $(AT_ONCE),$(shell nproc))

.PHONY: compare-manifests
compare-manifests: setup ## Say of each Deployment in the folder DIR whether it is taken as a PodGroup, and whether its pods are the same
	@PYTHONPATH=tests:deploy:deploy/local:deploy/kind $(PY) -m e2e.compare_manifests "$(or $(DIR),tests/e2e/manifests)"

.PHONY: image
image: setup ## Build the operator's image with docker, podman or buildah, whichever exists
	@PYTHONPATH=deploy/local:deploy/kind $(PY) -m kindnode.operator_image

.PHONY: kind-test
kind-test: setup ## Run the tests of kind without Docker: real kubelet, real containers, under podman
	@$(PY) -m pytest tests/kind

.PHONY: crd
crd: cluster ## Generate crds/podgroups.yaml from the API server's own OpenAPI
	@KUBECONFIG=.cluster/kubeconfig $(KUBECTL) get --raw /openapi/v3/api/v1 | $(PY) crds/generate.py

.PHONY: chart
chart: setup ## Write the chart's copy of the CRD and deploy/install.yaml anew
	@PYTHONPATH=deploy/local $(PY) deploy/helm/generate.py

.PHONY: kustomize
kustomize: setup ## Write deploy/kustomize/schema.json anew, from Kubernetes' own OpenAPI
	@PYTHONPATH=deploy:deploy/local $(PY) deploy/kustomize/generate.py

.PHONY: argocd
argocd: setup ## Write deploy/argocd/argocd-cm.yaml anew, from the Lua beside it
	@$(PY) deploy/argocd/generate.py

##@ Local cluster

.PHONY: cluster
cluster: setup ## Start a local control plane with the CRD and pretended nodes; kubeconfig: .cluster/kubeconfig
	@mkdir -p .cluster
	@$(LOCAL) create cluster --name=podgroup-dev --kubeconfig=.cluster/kubeconfig --crd=crds/podgroups.yaml

.PHONY: cluster-down
cluster-down: setup ## Stop it, leaving nothing behind
	@$(LOCAL) delete cluster --name=podgroup-dev --kubeconfig=.cluster/kubeconfig
	@rm -rf .cluster

.PHONY: run
run: setup ## Run the operator here, against .cluster/kubeconfig or KUBECONFIG
	@KUBECONFIG=$${KUBECONFIG:-.cluster/kubeconfig} .venv/bin/podgroup-operator run
