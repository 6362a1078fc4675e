{{- define "luq-server.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
At most 41 characters, so that no name made of it is too long, for Kubernetes or for what finds pods by their names: a
CronJob has 52 with "-requantize", a StatefulSet 52, a Deployment 46. A longer one has a digest for its end.
*/}}
{{- define "luq-server.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride | default (ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name)) -}}
{{- if gt (len $full) 41 -}}
{{- $full = printf "%s-%s" (trunc 34 $full | trimSuffix "-") (sha256sum $full | trunc 6) -}}
{{- end -}}
{{- $full | trimSuffix "-" -}}
{{- end -}}

{{/* The full name and a suffix: (list $ "suffix"). */}}
{{- define "luq-server.childName" -}}
{{- printf "%s-%s" (include "luq-server.fullname" (index . 0)) (index . 1) -}}
{{- end -}}

{{/* A value as a line of a properties file has it: Helm reads numbers as floats, which would print as 1.34e+08. */}}
{{- define "luq-server.setting" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ toString . | replace "\\" "\\\\" }}{{ end -}}
{{- end -}}

{{/* How long a pod may take until it is ready: what its startup probe permits, and an hour for files that are fetched. */}}
{{- define "luq-server.startSeconds" -}}
{{- $seconds := add 600 (mul (int .Values.probes.startup.periodSeconds) (int .Values.probes.startup.failureThreshold)) -}}
{{- range .Values.models -}}
{{- if (.source | default dict).files -}}
{{- $seconds = add $seconds 3600 -}}
{{- end -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}

{{- define "luq-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "luq-server.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: server
{{- end -}}

{{/* What another version of the chart does not change. */}}
{{- define "luq-server.lastingLabels" -}}
{{- with .Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
app.kubernetes.io/name: {{ include "luq-server.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* What every object carries; the component is added by its owner. */}}
{{- define "luq-server.commonLabels" -}}
{{ include "luq-server.lastingLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The same and the component: (list $ "component"). */}}
{{- define "luq-server.componentLabels" -}}
{{ include "luq-server.commonLabels" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "luq-server.labels" -}}
{{- include "luq-server.componentLabels" (list . "server") -}}
{{- end -}}

{{- define "luq-server.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "luq-server.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "luq-server.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "luq-server.keySecretName" -}}
{{- default (include "luq-server.childName" (list . "api-keys")) .Values.apiKeys.existingSecret -}}
{{- end -}}

{{/* The entry of that Secret with one role:key a line. */}}
{{- define "luq-server.keySecretKey" -}}
{{- if .Values.apiKeys.existingSecret -}}{{ .Values.apiKeys.existingSecretKey }}{{- else -}}api-keys{{- end -}}
{{- end -}}

{{/* Not empty when the chart itself makes up the keys. */}}
{{- define "luq-server.generatesKeys" -}}
{{- with .Values.apiKeys -}}
{{- if not (or .anonymous .existingSecret .user .admin) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* The model that the notes ask: the default one. */}}
{{- define "luq-server.exampleModel" -}}
{{- if .Values.models -}}
{{- $ids := list -}}
{{- range .Values.models }}{{ $ids = append $ids .id }}{{ end -}}
{{- .Values.defaultModel | default (first (sortAlpha $ids)) -}}
{{- else -}}
luq-demo
{{- end -}}
{{- end -}}

{{/* The entry of the chart's Secret that holds a bare key, of the lowest role there is. */}}
{{- define "luq-server.bareKey" -}}
{{- if and .Values.apiKeys.admin (not .Values.apiKeys.user) -}}admin-key{{- else -}}user-key{{- end -}}
{{- end -}}

{{/* The most replicas there may be; that of a DaemonSet is the number of nodes, of which there are more than one. */}}
{{- define "luq-server.mostReplicas" -}}
{{- if eq .Values.kind "DaemonSet" -}}2{{- else if .Values.autoscaling.enabled -}}{{ .Values.autoscaling.maxReplicas }}{{- else -}}{{ .Values.replicaCount }}{{- end -}}
{{- end -}}

{{/* The fewest. */}}
{{- define "luq-server.leastReplicas" -}}
{{- if eq .Values.kind "DaemonSet" -}}1{{- else if .Values.autoscaling.enabled -}}{{ .Values.autoscaling.minReplicas }}{{- else -}}{{ .Values.replicaCount }}{{- end -}}
{{- end -}}
