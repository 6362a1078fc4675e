{{/* MiB of a quantity of bytes such as 6Gi, rounded up. */}}
{{- define "luq-server.mebibytes" -}}
{{- $quantity := include "luq-server.setting" . -}}
{{- $unit := regexFind "[A-Za-z]*$" $quantity -}}
{{- $scale := get (dict "" (divf 1 1048576) "k" (divf 1000 1048576) "Ki" (divf 1 1024) "M" (divf 1000000 1048576) "Mi" 1.0 "G" (divf 1000000000 1048576) "Gi" 1024.0 "T" (divf 1000000000000 1048576) "Ti" 1048576.0) $unit -}}
{{- mulf (regexFind "^[0-9.]+" $quantity | float64) $scale | ceil | int64 -}}
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
{{- $memory := add (int64 .) (include "luq-server.mebibytes" $headroom | int64) -}}
{{- /* The server's heap is a sixteenth of the limit, 128 MiB to 1 GiB; up to 128 of them are in the estimates. */ -}}
{{ add $memory (max 0 (min 896 (div (add $memory 14 -2048) 15))) }}Mi
{{- end -}}
{{- end -}}

{{/* What models may take of the memory limit, in bytes; empty where the limit or that is given, or an estimate is not. */}}
{{- define "luq-server.modelMemory" -}}
{{- $resources := include "luq-server.givenResources" . | fromYaml -}}
{{- $given := or $resources.requests.memory $resources.limits.memory (hasKey .Values.config "luq.worker.memory-limit-bytes") -}}
{{- range .Values.extraEnv -}}
{{- $given = or $given (eq .name "LUQ_WORKER_MEMORY_LIMIT_BYTES") -}}
{{- end -}}
{{- if not $given -}}
{{- with include "luq-server.modelMebibytes" . }}{{ mul (int64 .) 1048576 }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The values, without quantities that are null. */}}
{{- define "luq-server.givenResources" -}}
{{- $given := dict "requests" dict "limits" dict -}}
{{- range $part, $values := .Values.resources -}}
{{- if kindIs "map" $values -}}
{{- range $name, $quantity := $values -}}
{{- if not (kindIs "invalid" $quantity) -}}
{{- $_ := set (get $given $part) $name $quantity -}}
{{- end -}}
{{- end -}}
{{- else if $values -}}
{{- $_ := set $given $part $values -}}
{{- end -}}
{{- end -}}
{{- toYaml $given -}}
{{- end -}}

{{/* What the pod may write to its node, in MiB: emptyDirs, and logs until the node rotates them; empty when one has no bound. */}}
{{- define "luq-server.scratchMebibytes" -}}
{{- $sizes := list .Values.scratch.sizeLimit .Values.scratch.sizeLimit -}}
{{- if .Values.sets -}}
{{- $sizes = append $sizes .Values.scratch.sizeLimit -}}
{{- end -}}
{{- if include "luq-server.dataIsScratch" . -}}
{{- $sizes = append $sizes .Values.scratch.dataSizeLimit -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- $directory := .emptyDir | default dict -}}
{{- if and (hasKey . "emptyDir") (ne ($directory.medium | default "") "Memory") -}}
{{- $sizes = append $sizes ($directory.sizeLimit | default "") -}}
{{- end -}}
{{- end -}}
{{- if not (has "" $sizes) -}}
{{- $total := mul 256 (add1 (len .Values.extraContainers)) -}}
{{- range $sizes -}}
{{- $total = add $total (include "luq-server.mebibytes" . | int64) -}}
{{- end -}}
{{- $total -}}
{{- end -}}
{{- end -}}

{{/* The values, with memory and scratch space where they say nothing of them. */}}
{{- define "luq-server.resources" -}}
{{- $resources := include "luq-server.givenResources" . | fromYaml -}}
{{- if not (or $resources.requests.memory $resources.limits.memory) -}}
{{- with include "luq-server.estimatedMemory" . -}}
{{- $_ := set $resources.requests "memory" . -}}
{{- $_ := set $resources.limits "memory" . -}}
{{- else -}}
{{- $_ := set $resources.requests "memory" "1Gi" -}}
{{- end -}}
{{- end -}}
{{- if not (or (get $resources.requests "ephemeral-storage") (get $resources.limits "ephemeral-storage")) -}}
{{- $_ := set $resources.requests "ephemeral-storage" "512Mi" -}}
{{- with include "luq-server.scratchMebibytes" . -}}
{{- $_ := set $resources.limits "ephemeral-storage" (printf "%sMi" .) -}}
{{- end -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/*
Of what copies files and asks over HTTP, beside these resources of the container that works: (list $ resources). Where
that has no limit of scratch space there is none here: the kubelet holds the whole pod to the only one that it finds.
*/}}
{{- define "luq-server.smallResources" -}}
{{- $small := deepCopy ((index . 0).Values.smallResources | default dict) -}}
{{- if and $small.limits (not (dig "limits" "ephemeral-storage" "" (index . 1))) -}}
{{- $_ := unset $small.limits "ephemeral-storage" -}}
{{- end -}}
{{- toYaml $small -}}
{{- end -}}
