{{/* The name of all that the chart makes: the release's, with the chart's unless that is in it. */}}
{{- define "podgroup-operator.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "podgroup-operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "podgroup-operator.fullname" .) "default" .Values.serviceAccount.create) -}}
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
