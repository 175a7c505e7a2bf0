"""The same kustomization of a Deployment and of a PodGroup, through the real `kubectl kustomize`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from controlplane.programs import KUBECTL

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

COMPONENT = Path(__file__).resolve().parents[2] / "deploy" / "kustomize"

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
      annotations: {owner: shop}
    spec:
      serviceAccountName: web
      priorityClassName: high
      imagePullSecrets: [{name: registry}]
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {app: web}}}
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: host, labelSelector: {matchLabels: {app: web}}}
        podAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 1
              podAffinityTerm: {topologyKey: zone, labelSelector: {matchLabels: {app: web}}}
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: zone, labelSelector: {matchLabels: {app: web}}}
      topologySpreadConstraints:
        - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      initContainers:
        - name: init
          image: busybox:1.36
          envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: password}}]
          env:
            - {name: MODE, valueFrom: {configMapKeyRef: {name: settings, key: mode}}}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: password, key: word}}}
      containers:
        - name: web
          image: nginx:1.28
          args: [--service=$(SERVICE)]
          envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: password}}]
          env:
            - {name: MODE, valueFrom: {configMapKeyRef: {name: settings, key: mode}}}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: password, key: word}}}
            - {name: LEVEL, value: info}
          ports:
            - {name: http, containerPort: 80}
          volumeMounts:
            - {name: settings, mountPath: /settings}
            - {name: data, mountPath: /data}
      volumes:
        - {name: settings, configMap: {name: settings}}
        - {name: password, secret: {secretName: password}}
        - name: both
          projected: {sources: [{configMap: {name: settings}}, {secret: {name: password}}]}
        - {name: data, persistentVolumeClaim: {claimName: data}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  maxReplicas: 5
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: web
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: Secret
metadata:
  name: registry
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: high
value: 1000
"""
"""A Deployment, what it refers to, and what refers to it."""


def as_group(text: str) -> str:
    """Manifests, patches and kustomizations of a Deployment as those of a PodGroup."""
    return text.replace("apps/v1", "selfheal.dev/v1").replace("Deployment", "PodGroup")


class Refused(Exception):
    """What kustomize says against a kustomization."""


def kustomize(folder: Path, files: Mapping[str, str]) -> str:
    """Write the files into a new folder and return what `kubectl kustomize` makes of its `kustomization.yaml`.

    `COMPONENT` in a file stands for the way from there to the component.

    Raises:
        Refused: it makes nothing of it.
    """
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("COMPONENT", os.path.relpath(COMPONENT, file.parent)))
    command = [str(KUBECTL.path), "kustomize", str(folder)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the tests' kubectl
    if answer.returncode != 0:
        raise Refused(answer.stderr)
    return answer.stdout


def objects(output: str) -> dict[str, Json]:
    """What was put out, in no order, for that depends on the kinds: each by its kind and name."""
    return {f"{each['kind']} {each['metadata']['name']}": each for each in yaml.safe_load_all(output)}
