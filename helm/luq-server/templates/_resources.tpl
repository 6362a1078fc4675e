{{/* MiB of a quantity of bytes such as 6Gi, rounded up. */}}
{{- define "luq-server.mebibytes" -}}
{{- $unit := regexFind "[A-Za-z]*$" . -}}
{{- $scale := get (dict "" (divf 1 1048576) "k" (divf 1000 1048576) "Ki" (divf 1 1024) "M" (divf 1000000 1048576) "Mi" 1.0 "G" (divf 1000000000 1048576) "Gi" 1024.0 "T" (divf 1000000000000 1048576) "Ti" 1048576.0) $unit -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) $scale | ceil | int64 -}}
{{- end -}}

{{/* The estimates of all models together, in MiB; empty when one has none. */}}
{{- define "luq-server.modelMebibytes" -}}
{{- $total := 0 -}}
{{- $known := true -}}
{{- range .Values.models | default (list (dict "memory" "400Mi")) -}}
{{- if .memory -}}
{{- $total = add $total (include "luq-server.mebibytes" .memory | int64) -}}
{{- else -}}
{{- $known = false -}}
{{- end -}}
{{- end -}}
{{- if $known }}{{ $total }}{{ end -}}
{{- end -}}

{{/* What serving takes by the models' estimates, as a quantity; empty when one has none. */}}
{{- define "luq-server.estimatedMemory" -}}
{{- $headroom := .Values.memoryHeadroomText -}}
{{- range .Values.models | default (list (dict "mmproj" "demo")) -}}
{{- if .mmproj -}}
{{- $headroom = $.Values.memoryHeadroom -}}
{{- end -}}
{{- end -}}
{{- with include "luq-server.modelMebibytes" . -}}
{{ add (int64 .) (include "luq-server.mebibytes" $headroom | int64) }}Mi
{{- end -}}
{{- end -}}

{{/* What models may take of the memory limit, in bytes; empty where the limit or that is given, or an estimate is not. */}}
{{- define "luq-server.modelMemory" -}}
{{- $given := or (hasKey (.Values.resources.requests | default dict) "memory") (hasKey (.Values.resources.limits | default dict) "memory") (hasKey .Values.config "luq.worker.memory-limit-bytes") -}}
{{- range .Values.extraEnv -}}
{{- $given = or $given (eq .name "LUQ_WORKER_MEMORY_LIMIT_BYTES") -}}
{{- end -}}
{{- if not $given -}}
{{- with include "luq-server.modelMebibytes" . }}{{ mul (int64 .) 1048576 }}{{ end -}}
{{- end -}}
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
{{- if .Values.sets -}}
{{- $scratch = add $scratch (include "luq-server.mebibytes" .Values.scratch.sizeLimit | int64) -}}
{{- end -}}
{{- if or (not .Values.persistence.enabled) (include "luq-server.readOnlyClaim" .) -}}
{{- $scratch = add $scratch (include "luq-server.mebibytes" .Values.scratch.dataSizeLimit | int64) -}}
{{- end -}}
{{- $_ := set $more.requests "ephemeral-storage" "512Mi" -}}
{{- $_ := set $more.limits "ephemeral-storage" (printf "%dMi" (int64 $scratch)) -}}
{{- end -}}
{{- merge (deepCopy .Values.resources) $more | toYaml -}}
{{- end -}}

{{/* Of what copies files and asks over HTTP. */}}
{{- define "luq-server.smallResources" -}}
requests:
  cpu: 10m
  memory: 16Mi
  ephemeral-storage: 16Mi
limits:
  cpu: "1"
  memory: 64Mi
  ephemeral-storage: 64Mi
{{- end -}}
