{{/* The name of all that the chart makes: the release's, with the chart's unless that is in it. */}}
{{- define "podgroup-operator.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "podgroup-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "podgroup-operator.fullname" .) -}}
{{- else -}}
{{- /* Not the namespace's own account, as which every other pod there runs: it would get the operator's rights. */ -}}
{{- required "serviceAccount.create is false: set serviceAccount.name to the ServiceAccount that the operator shall use" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/*
The CRD as it is in the cluster, if it is another's: kubectl's, or that of a release of another name, which may be gone
for long. Helm would refuse it ("invalid ownership metadata"), so it is left to him; else nothing.
In an upgrade only if it is marked to be kept. One that this release has made, and that lost its marks, would drop out of
the release otherwise, and Helm deletes what drops out.
*/}}
{{- define "podgroup-operator.crdOfAnother" -}}
{{- $crd := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "podgroups.selfheal.dev" -}}
{{- if $crd -}}
{{- $marks := $crd.metadata.annotations | default dict -}}
{{- $by := dig "app.kubernetes.io/managed-by" "" ($crd.metadata.labels | default dict) -}}
{{- $release := printf "%s/%s" (dig "meta.helm.sh/release-namespace" "" $marks) (dig "meta.helm.sh/release-name" "" $marks) -}}
{{- $ours := and (eq $by "Helm") (eq $release (printf "%s/%s" .Release.Namespace .Release.Name)) -}}
{{- $kept := eq (dig "helm.sh/resource-policy" "" $marks) "keep" -}}
{{- if and (not $ours) (or .Release.IsInstall $kept) -}}
{{- toYaml $crd -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "podgroup-operator.image" -}}
{{- with .Values.image -}}
{{- if and (eq .tag "latest") (not .digest) -}}
{{- fail "image.tag is `latest`, which may be another program tomorrow: name a version, or set image.digest" -}}
{{- end -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "podgroup-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "podgroup-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "podgroup-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: podgroup
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The rules of lease-rules.yaml for one Lease (`lease`). */}}
{{- define "podgroup-operator.leaseRules" -}}
{{- $lease := .lease -}}
{{- $rules := .root.Files.Get "lease-rules.yaml" | fromYamlArray -}}
{{- range $rules }}{{ if .resourceNames }}{{ $_ := set . "resourceNames" (list $lease) }}{{ end }}{{ end -}}
{{- toYaml $rules -}}
{{- end }}

{{/* What the restricted Pod Security Standard asks of each container, and a read-only root on top. */}}
{{- define "podgroup-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* A number, because runAsNonRoot cannot check a name. */}}
{{- define "podgroup-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}
