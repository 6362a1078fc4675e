{{- define "luq-server.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "luq-server.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The full name and a suffix, together at most 63 characters: (list $ "suffix"). */}}
{{- define "luq-server.childName" -}}
{{- $suffix := index . 1 -}}
{{- $room := int (sub 62 (len $suffix)) -}}
{{- printf "%s-%s" (include "luq-server.fullname" (index . 0) | trunc $room | trimSuffix "-") $suffix -}}
{{- end -}}

{{- define "luq-server.selectorLabels" -}}
app.kubernetes.io/name: {{ include "luq-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end -}}

{{/* What every object carries; the component is added by its owner. */}}
{{- define "luq-server.commonLabels" -}}
app.kubernetes.io/name: {{ include "luq-server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "luq-server.labels" -}}
{{ include "luq-server.commonLabels" . }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "luq-server.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
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

{{- define "luq-server.claimName" -}}
{{- default (include "luq-server.childName" (list . "data")) .Values.persistence.existingClaim -}}
{{- end -}}

{{/* Not empty when two pods cannot hold the volume at once. */}}
{{- define "luq-server.singleWriter" -}}
{{- if and .Values.persistence.enabled (not (has "ReadWriteMany" .Values.persistence.accessModes)) -}}true{{- end -}}
{{- end -}}

{{- define "luq-server.dataDirectory" -}}/var/lib/luq{{- end -}}

{{/* A model file: an absolute path as it is, any other below the data volume: (list $ "path"). */}}
{{- define "luq-server.modelFile" -}}
{{- $root := index . 0 -}}
{{- $path := index . 1 -}}
{{- if hasPrefix "/" $path -}}
{{- $path -}}
{{- else if $root.Values.persistence.enabled -}}
{{- printf "%s/%s" (include "luq-server.dataDirectory" $root) $path -}}
{{- else -}}
{{- fail (printf "models: %q lies on the data volume, but persistence.enabled is false: switch it on, or give an absolute path below one of extraVolumeMounts" $path) -}}
{{- end -}}
{{- end -}}

{{/* What the schema cannot see because it concerns several values at once. */}}
{{- define "luq-server.validate" -}}
{{- $values := .Values -}}
{{- with .Values.apiKeys -}}
{{- if and .anonymous (or .existingSecret .user .admin) -}}
{{- fail "apiKeys.anonymous opens the API to everyone: remove existingSecret, user and admin beside it, or set anonymous to false" -}}
{{- end -}}
{{- if and .existingSecret (or .user .admin) -}}
{{- fail "apiKeys.existingSecret replaces apiKeys.user and apiKeys.admin: give one or the other" -}}
{{- end -}}
{{- end -}}
{{- $stop := add .Values.drainSeconds .Values.preStopSeconds -}}
{{- if le (int .Values.terminationGracePeriodSeconds) (int $stop) -}}
{{- fail (printf "terminationGracePeriodSeconds (%d) must be greater than preStopSeconds + drainSeconds (%d), or running answers are cut off" (int .Values.terminationGracePeriodSeconds) (int $stop)) -}}
{{- end -}}
{{- if and (gt (int .Values.replicaCount) 1) (include "luq-server.singleWriter" .) -}}
{{- fail "replicaCount above 1 needs persistence.accessModes [ReadWriteMany], or persistence.enabled=false" -}}
{{- end -}}
{{- range $key, $value := .Values.config -}}
{{- if hasPrefix "luq.api.keys" $key -}}
{{- fail (printf "config: %s would show keys to everyone who may read ConfigMaps: use apiKeys" $key) -}}
{{- end -}}
{{- if hasPrefix "luq.models." $key -}}
{{- fail (printf "config: %s belongs in models" $key) -}}
{{- end -}}
{{- end -}}
{{- $ids := list -}}
{{- range .Values.models -}}
{{- if has .id $ids -}}
{{- fail (printf "models: the id %q is given twice" .id) -}}
{{- end -}}
{{- $ids = append $ids .id -}}
{{- end -}}
{{- if and .Values.defaultModel (not (has .Values.defaultModel $ids)) -}}
{{- fail (printf "defaultModel %q is not the id of one of models" .Values.defaultModel) -}}
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
