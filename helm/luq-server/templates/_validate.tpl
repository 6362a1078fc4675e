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

{{/* Where a model comes from: (list $ model). */}}
{{- define "luq-server.validateSource" -}}
{{- $root := index . 0 -}}
{{- $model := index . 1 -}}
{{- with $model.source -}}
{{- range list $model.model ($model.mmproj | default "") -}}
{{- if hasPrefix "/" . -}}
{{- fail (printf "models: %q has a source, and %s is a path beside it: give a path relative to the source" $model.id .) -}}
{{- end -}}
{{- end -}}
{{- if and .files (include "luq-server.readOnlyClaim" $root) -}}
{{- fail (printf "models: the files of %q cannot be fetched to a claim that is read-only" $model.id) -}}
{{- end -}}
{{- if and .image (semverCompare "<1.31-0" $root.Capabilities.KubeVersion.Version) -}}
{{- fail (printf "models: the image of %q is mounted as a volume, which Kubernetes does from 1.31 on (feature gate ImageVolume)" $model.id) -}}
{{- end -}}
{{- if .files -}}
{{- $names := list -}}
{{- range .files -}}
{{- $name := include "luq-server.sourceFile" . -}}
{{- if not (regexMatch "^[A-Za-z0-9][A-Za-z0-9._-]*$" $name) -}}
{{- fail (printf "models: %q of the source of %q gives no name of a file: give one as its file" .url $model.id) -}}
{{- end -}}
{{- if has $name $names -}}
{{- fail (printf "models: two files of the source of %q become %s: give one of them another name as its file" $model.id $name) -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- range list $model.model ($model.mmproj | default "") -}}
{{- if and . (not (has . $names)) -}}
{{- fail (printf "models: no file of the source of %q becomes %s; they are %s" $model.id . (join ", " $names)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "luq-server.validateRequantization" -}}
{{- $values := .Values -}}
{{- with .Values.requantization -}}
{{- if .enabled -}}
{{- if or (not $values.persistence.enabled) (include "luq-server.readOnlyClaim" $) (include "luq-server.ownClaims" $) -}}
{{- fail "requantization: its results go to servers by a volume that they share: enable persistence with a claim that can be written, and one for all replicas" -}}
{{- end -}}
{{- if has "ReadWriteOncePod" $values.persistence.accessModes -}}
{{- fail "requantization: a claim of one pod (ReadWriteOncePod) cannot be mounted by its Job too: use ReadWriteOnce or ReadWriteMany, or the admin API" -}}
{{- end -}}
{{- $ids := list -}}
{{- range $values.models }}{{ $ids = append $ids .id }}{{ end -}}
{{- if and $ids (not (has .model $ids)) -}}
{{- fail (printf "requantization.model %q is not the id of one of models" .model) -}}
{{- end -}}
{{- if and .model (not $ids) -}}
{{- fail "requantization.model: without models the demo model is served; leave it empty" -}}
{{- end -}}
{{- if and .schedule (gt (len .variant) 55) -}}
{{- fail "requantization.variant: with a schedule the day is added, for which at most 55 characters leave room" -}}
{{- end -}}
{{- range $values.initContainers -}}
{{- range .volumeMounts -}}
{{- if has .name (list "api-keys" "config") -}}
{{- fail (printf "initContainers: the pods of requantization have them too, and no volume %s" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .activate -}}
{{- if and $values.autoscaling.enabled (eq (int $values.autoscaling.minReplicas) 0) -}}
{{- fail "requantization.activate: with autoscaling.minReplicas 0 there may be no server to be told; set one of them otherwise" -}}
{{- end -}}
{{- if $values.apiKeys.anonymous -}}
{{- fail "requantization.activate: without keys nobody may activate a variant from another pod; give keys in apiKeys, or set activate to false" -}}
{{- end -}}
{{- if and $values.apiKeys.existingSecret (not .keySecret.name) -}}
{{- fail "requantization.activate: apiKeys.existingSecret holds role:key lines; name a secret with one bare admin key in requantization.keySecret" -}}
{{- end -}}
{{- if and $values.apiKeys.user (not $values.apiKeys.admin) (not .keySecret.name) -}}
{{- fail "requantization.activate needs an admin key: give one in apiKeys.admin" -}}
{{- end -}}
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
{{- if and (gt (int (include "luq-server.mostReplicas" .)) 1) (include "luq-server.singleNode" .) -}}
{{- fail "more than one replica needs persistence.accessModes [ReadWriteMany] or [ReadOnlyMany], kind: StatefulSet without existingClaim, or persistence.enabled=false" -}}
{{- end -}}
{{- if and (gt (int (include "luq-server.mostReplicas" .)) 1) (include "luq-server.ownClaims" .) .Values.persistence.volumeName -}}
{{- fail "persistence.volumeName: each replica of a StatefulSet has a claim of its own, and one volume binds to one of them" -}}
{{- end -}}
{{- with .Values.service -}}
{{- if and .nodePort (eq .type "ClusterIP") -}}
{{- fail "service.nodePort: a Service of type ClusterIP has none; set service.type to NodePort or LoadBalancer" -}}
{{- end -}}
{{- if and (or .loadBalancerClass .loadBalancerSourceRanges) (ne .type "LoadBalancer") -}}
{{- fail "service.loadBalancerClass and loadBalancerSourceRanges are of service.type LoadBalancer" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor and podMonitor: both would count each pod twice; enable one" -}}
{{- end -}}
{{- $strategy := .Values.strategy | default dict -}}
{{- if and (ne .Values.kind "Deployment") (eq ($strategy.type | default "") "Recreate") -}}
{{- fail (printf "strategy: Recreate is of a Deployment; a %s has RollingUpdate and OnDelete" .Values.kind) -}}
{{- end -}}
{{- if and (eq .Values.kind "StatefulSet") (hasKey ($strategy.rollingUpdate | default dict) "maxSurge") -}}
{{- fail "strategy.rollingUpdate.maxSurge: a StatefulSet has none" -}}
{{- end -}}
{{- if and (eq .Values.kind "Deployment") (eq ($strategy.type | default "") "OnDelete") -}}
{{- fail "strategy: OnDelete is not of a Deployment; it has RollingUpdate and Recreate" -}}
{{- end -}}
{{- with .Values.autoscaling -}}
{{- if .enabled -}}
{{- if eq $values.kind "DaemonSet" -}}
{{- fail "autoscaling: a DaemonSet has a pod on each node; use kind: Deployment or StatefulSet" -}}
{{- end -}}
{{- if lt (int .maxReplicas) (int .minReplicas) -}}
{{- fail (printf "autoscaling.maxReplicas (%d) is less than minReplicas (%d)" (int .maxReplicas) (int .minReplicas)) -}}
{{- end -}}
{{- if and (eq .provider "hpa") (eq (int .minReplicas) 0) -}}
{{- fail "autoscaling.minReplicas: 0 needs provider: keda, with a trigger in keda.triggers that sees requests while no pod counts them" -}}
{{- end -}}
{{- if and (eq .provider "keda") (eq (int .minReplicas) 0) (not .keda.triggers) -}}
{{- fail "autoscaling.minReplicas: 0 needs a trigger in keda.triggers that sees requests while no pod counts them" -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "luq-server.validateRequantization" . -}}
{{- if and (include "luq-server.readOnlyClaim" .) (not .Values.persistence.existingClaim) -}}
{{- fail "persistence: a claim that nobody writes must be there before: name it in persistence.existingClaim" -}}
{{- end -}}
{{- include "luq-server.requireOwnSettings" . -}}
{{- $volumes := list "api-keys" "config" "data" "native-cache" "sets" "state" "tmp" -}}
{{- range .Values.extraVolumes -}}
{{- if or (has .name $volumes) (regexMatch "^(fetch|model|set)-[0-9]+$" .name) -}}
{{- fail (printf "extraVolumes: the chart has a volume %s of its own; choose another name" .name) -}}
{{- end -}}
{{- end -}}
{{- $ids := list -}}
{{- range .Values.models -}}
{{- if has .id $ids -}}
{{- fail (printf "models: the id %q is given twice" .id) -}}
{{- end -}}
{{- $ids = append $ids .id -}}
{{- include "luq-server.validateSource" (list $ .) -}}
{{- end -}}
{{- $sets := list -}}
{{- range .Values.sets -}}
{{- if has .name $sets -}}
{{- fail (printf "sets: the name %q is given twice" .name) -}}
{{- end -}}
{{- $sets = append $sets .name -}}
{{- end -}}
{{- if and .Values.defaultModel (not (has .Values.defaultModel $ids)) -}}
{{- fail (printf "defaultModel %q is not the id of one of models" .Values.defaultModel) -}}
{{- end -}}
{{- end -}}
