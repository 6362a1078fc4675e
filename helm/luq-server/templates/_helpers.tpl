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
{{- with .Values.commonLabels }}
{{- toYaml . }}
{{ end -}}
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

{{/* Not empty when the claim is mounted without the right to write: what the server writes goes elsewhere. */}}
{{- define "luq-server.readOnlyClaim" -}}
{{- with .Values.persistence -}}
{{- if and .enabled (or .readOnly (eq (join "," .accessModes) "ReadOnlyMany")) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty when the pods of two nodes cannot hold the volume at once. */}}
{{- define "luq-server.singleNode" -}}
{{- with .Values.persistence -}}
{{- if and .enabled (not (has "ReadWriteMany" .accessModes)) (not (has "ReadOnlyMany" .accessModes)) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where the claim is mounted, and what model files are relative to. */}}
{{- define "luq-server.volumeDirectory" -}}/var/lib/luq{{- end -}}

{{/* What the server makes. */}}
{{- define "luq-server.dataDirectory" -}}
{{- if include "luq-server.readOnlyClaim" . -}}/var/lib/luq-data{{- else -}}/var/lib/luq/data{{- end -}}
{{- end -}}

{{/* The folder whose sub-folders are calibration and evaluation sets: the demo model's own where it is served. */}}
{{- define "luq-server.setsDirectory" -}}
{{- if .Values.models -}}
{{- include "luq-server.volumeDirectory" . }}/sets
{{- else -}}
/opt/luq/models/demo
{{- end -}}
{{- end -}}

{{/* A model file: an absolute path as it is, any other below the data volume: (list $ "path"). */}}
{{- define "luq-server.modelFile" -}}
{{- $root := index . 0 -}}
{{- $path := index . 1 -}}
{{- if hasPrefix "/" $path -}}
{{- $path -}}
{{- else if $root.Values.persistence.enabled -}}
{{- printf "%s/%s" (include "luq-server.volumeDirectory" $root) $path -}}
{{- else -}}
{{- fail (printf "models: %q lies on the data volume, but persistence.enabled is false: switch it on, or give an absolute path below one of extraVolumeMounts" $path) -}}
{{- end -}}
{{- end -}}

{{/* MiB of a quantity of bytes such as 6Gi, rounded up. */}}
{{- define "luq-server.mebibytes" -}}
{{- $unit := regexFind "[A-Za-z]*$" . -}}
{{- $scale := get (dict "" (divf 1 1048576) "k" (divf 1000 1048576) "Ki" (divf 1 1024) "M" (divf 1000000 1048576) "Mi" 1.0 "G" (divf 1000000000 1048576) "Gi" 1024.0 "T" (divf 1000000000000 1048576) "Ti" 1048576.0) $unit -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) $scale | ceil | int64 -}}
{{- end -}}

{{/* What serving takes by the models' estimates, as a quantity; empty when one has none. */}}
{{- define "luq-server.estimatedMemory" -}}
{{- $total := include "luq-server.mebibytes" .Values.memoryHeadroom | int64 -}}
{{- $known := true -}}
{{- range .Values.models | default (list (dict "memory" "384Mi")) -}}
{{- if .memory -}}
{{- $total = add $total (include "luq-server.mebibytes" .memory | int64) -}}
{{- else -}}
{{- $known = false -}}
{{- end -}}
{{- end -}}
{{- if $known -}}{{ $total }}Mi{{- end -}}
{{- end -}}

{{/* The values, with memory and scratch space where they say nothing of them. */}}
{{- define "luq-server.resources" -}}
{{- $requests := .Values.resources.requests | default dict -}}
{{- $limits := .Values.resources.limits | default dict -}}
{{- $more := dict "requests" dict "limits" dict -}}
{{- if not (or (hasKey $requests "memory") (hasKey $limits "memory")) -}}
{{- with include "luq-server.estimatedMemory" . -}}
{{- $_ := set $more.requests "memory" . -}}
{{- $_ := set $more.limits "memory" . -}}
{{- else -}}
{{- $_ := set $more.requests "memory" "1Gi" -}}
{{- end -}}
{{- end -}}
{{- if not (or (hasKey $requests "ephemeral-storage") (hasKey $limits "ephemeral-storage")) -}}
{{- /* The emptyDirs, and the log until the node rotates it. */}}
{{- $scratch := add 256 (mul 2 (include "luq-server.mebibytes" .Values.scratch.sizeLimit | int64)) -}}
{{- if or (not .Values.persistence.enabled) (include "luq-server.readOnlyClaim" .) -}}
{{- $scratch = add $scratch (include "luq-server.mebibytes" .Values.scratch.dataSizeLimit | int64) -}}
{{- end -}}
{{- $_ := set $more.requests "ephemeral-storage" "512Mi" -}}
{{- $_ := set $more.limits "ephemeral-storage" (printf "%dMi" (int64 $scratch)) -}}
{{- end -}}
{{- merge (deepCopy .Values.resources) $more | toYaml -}}
{{- end -}}

{{/* Containers of the values, hardened as the chart's own where they do not say otherwise: (list $ containers). */}}
{{- define "luq-server.hardened" -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
- {{ toYaml (merge (deepCopy .) (dict "securityContext" $root.Values.securityContext)) | nindent 2 | trim }}
{{- end -}}
{{- end -}}

{{/* Settings that the chart makes of its values, by what makes them. */}}
{{- define "luq-server.ownSettings" -}}
luq.admin.models-dir: persistence
luq.api.anonymous: apiKeys.anonymous
luq.api.keys: apiKeys
luq.api.keys-file: apiKeys
luq.api.open-metrics: metrics.open
luq.data-dir: persistence
luq.mmproj: models
luq.model: models
luq.model-id: models
luq.models: models
luq.sets.root: persistence
luq.worker.drain-time: drainSeconds
luq.worker.process.native-cache-dir: scratch
quarkus.config.locations: config
quarkus.http.host: service.ipFamilies
quarkus.http.insecure-requests: ingress or httpRoute
quarkus.http.port: service.port
quarkus.profile: config
quarkus.shutdown.delay: preStopSeconds
quarkus.shutdown.timeout: drainSeconds
smallrye.config.locations: config
smallrye.config.profile: config
{{- end -}}

{{/* Nothing may set what the chart sets: one of the two would be ignored without a word. */}}
{{- define "luq-server.requireOwnSettings" -}}
{{- range $setting, $value := include "luq-server.ownSettings" . | fromYaml -}}
{{- range $key, $ignored := $.Values.config -}}
{{- $name := regexReplaceAll "^%[^.]+\\." ($key | replace "\"" "") "" -}}
{{- if or (eq $name $setting) (hasPrefix (print $setting ".") $name) -}}
{{- fail (printf "config: %s is set by the chart; use %s" $key $value) -}}
{{- end -}}
{{- end -}}
{{- $variable := regexReplaceAll "[^A-Z0-9]" (upper $setting) "_" -}}
{{- range $.Values.extraEnv -}}
{{- $name := regexReplaceAll "^_[A-Z0-9]+_" (regexReplaceAll "[^A-Z0-9]" (upper .name) "_") "" -}}
{{- if or (eq $name $variable) (hasPrefix (print $variable "_") $name) -}}
{{- fail (printf "extraEnv: %s is set by the chart; use %s" .name $value) -}}
{{- end -}}
{{- end -}}
{{- $property := printf "-D%s" $setting -}}
{{- range $.Values.args -}}
{{- if contains $property . -}}
{{- fail (printf "args: %s is set by the chart; use %s" $setting $value) -}}
{{- end -}}
{{- end -}}
{{- range $.Values.extraEnv -}}
{{- if contains $property (.value | default "" | toString) -}}
{{- fail (printf "extraEnv: %s: %s is set by the chart; use %s" .name $setting $value) -}}
{{- end -}}
{{- end -}}
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
{{- $stop := add .Values.preStopSeconds .Values.drainSeconds 15 -}}
{{- if lt (int .Values.terminationGracePeriodSeconds) (int $stop) -}}
{{- fail (printf "terminationGracePeriodSeconds (%d) must be at least preStopSeconds + drainSeconds + 15 for the processes to end (%d), or running answers are cut off" (int .Values.terminationGracePeriodSeconds) (int $stop)) -}}
{{- end -}}
{{- if and (gt (int .Values.replicaCount) 1) (include "luq-server.singleNode" .) -}}
{{- fail "replicaCount above 1 needs persistence.accessModes [ReadWriteMany] or [ReadOnlyMany], or persistence.enabled=false" -}}
{{- end -}}
{{- if and (include "luq-server.readOnlyClaim" .) (not .Values.persistence.existingClaim) -}}
{{- fail "persistence: a claim that nobody writes must be there before: name it in persistence.existingClaim" -}}
{{- end -}}
{{- include "luq-server.requireOwnSettings" . -}}
{{- $volumes := list "api-keys" "config" "data" "native-cache" "state" "tmp" -}}
{{- range .Values.extraVolumes -}}
{{- if has .name $volumes -}}
{{- fail (printf "extraVolumes: the chart has a volume %s of its own; choose another name" .name) -}}
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

{{/* What Prometheus sends to read the metrics, as a field of an endpoint; empty when they are open. */}}
{{- define "luq-server.metricsAuthorization" -}}
{{- if not (or .Values.metrics.open .Values.apiKeys.anonymous) -}}
{{- $key := .Values.metrics.keySecret -}}
{{- if and .Values.apiKeys.existingSecret (not $key.name) -}}
{{- fail "metrics: apiKeys.existingSecret holds role:key lines, which Prometheus cannot send; name a secret with one bare key in metrics.keySecret, or set metrics.open" -}}
{{- end -}}
authorization:
  credentials:
    name: {{ $key.name | default (include "luq-server.keySecretName" .) }}
    key: {{ if $key.name }}{{ required "metrics.keySecret.key: name the entry of the secret that holds the bare key" $key.key }}{{ else }}{{ include "luq-server.bareKey" . }}{{ end }}
{{- end -}}
{{- end -}}
