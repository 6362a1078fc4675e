{{/* The model that is re-quantized, of models; the demo model where there are none. */}}
{{- define "luq-server.requantizedModel" -}}
{{- $id := .Values.requantization.model -}}
{{- range .Values.models -}}
{{- if eq .id $id }}{{ toYaml . }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* What is made, by model and budget. */}}
{{- define "luq-server.variantPrefix" -}}
{{- .Values.requantization.variant | default (printf "%s-%s" (.Values.requantization.model | default "demo") (.Values.requantization.budget | replace "%" "pct" | replace ":" "-") | trunc 48) -}}
{{- end -}}

{{/* The name of its CronJob, and what that of its Job begins with: other Jobs of the release have no such name. */}}
{{- define "luq-server.requantizationName" -}}
{{- include "luq-server.childName" (list . "requantize") -}}
{{- end -}}

{{/* What is made, but for the day: a name made here is another one where other values make another model. */}}
{{- define "luq-server.variant" -}}
{{- $job := .Values.requantization -}}
{{- $prefix := include "luq-server.variantPrefix" . -}}
{{- if $job.variant -}}
{{- $prefix -}}
{{- else -}}
{{- $model := omit (include "luq-server.requantizedModel" . | fromYaml) "memory" "aliases" -}}
{{- $sets := list (include "luq-server.setsDirectory" .) -}}
{{- range .Values.sets -}}
{{- if has .name (list $job.calibrationSet $job.evaluationSet) }}{{ $sets = append $sets . }}{{ end -}}
{{- end -}}
{{- $wish := list $model $job.budget $job.method $job.calibrationSet $job.evaluationSet $sets $job.args (include "luq-server.servingOptions" .) -}}
{{- printf "%s-%s" $prefix (toJson $wish | sha256sum | trunc 6) -}}
{{- end -}}
{{- end -}}

{{/* How the result is served, as far as a budget for everything counts it. */}}
{{- define "luq-server.servingOptions" -}}
{{- $model := include "luq-server.requantizedModel" . | fromYaml -}}
{{- $settings := $model.settings | default dict -}}
{{- range $option := list "kernels" "context-size" "slots" "kv-cache-type" -}}
{{- $value := get $.Values.config (print "luq.worker." $option) -}}
{{- if hasKey $settings $option -}}
{{- $value = get $settings $option -}}
{{- end -}}
{{- if and (eq $option "kernels") $model.kernels -}}
{{- $value = $model.kernels -}}
{{- end -}}
{{- if $value }}
- --{{ $option }}
- {{ include "luq-server.setting" $value | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The specification of its Job. */}}
{{- define "luq-server.requantization" -}}
{{- $job := .Values.requantization -}}
{{- $model := include "luq-server.requantizedModel" . | fromYaml -}}
backoffLimit: {{ $job.backoffLimit }}
activeDeadlineSeconds: {{ $job.activeDeadlineSeconds }}
{{- if not (kindIs "invalid" $job.ttlSecondsAfterFinished) }}
ttlSecondsAfterFinished: {{ $job.ttlSecondsAfterFinished }}
{{- end }}
template:
  metadata:
    labels:
      {{- include "luq-server.lastingLabels" . | nindent 6 }}
      app.kubernetes.io/component: requantization
    {{- with $job.podAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    # The next pod goes on where this one was interrupted.
    restartPolicy: Never
    {{- include "luq-server.podBase" . | nindent 4 }}
    {{- with $job.priorityClassName }}
    priorityClassName: {{ . | quote }}
    {{- end }}
    {{- with include "luq-server.prepareContainers" (list . ($job.resources | default dict)) }}
    initContainers:
      {{- . | nindent 6 }}
    {{- end }}
    containers:
      - name: requantize
        {{- include "luq-server.containerBase" . | nindent 8 }}
        command:
          - /bin/bash
          - -c
          - |
            {{- .Files.Get "files/requantize.sh" | trim | nindent 12 }}
          - requantize
        args:
          {{- toYaml $job.command | nindent 10 }}
          - requantize
          - --model
          - {{ if $model }}{{ include "luq-server.modelFile" (list . $model $model.model) | quote }}{{ else }}demo{{ end }}
          {{- with $model.mmproj }}
          - --mmproj
          - {{ include "luq-server.modelFile" (list $ $model .) | quote }}
          {{- end }}
          - --id
          - {{ $model.id | default "luq-demo" | quote }}
          - --data-dir
          - {{ include "luq-server.dataDirectory" . }}
          - --budget
          - {{ $job.budget | quote }}
          - --method
          - {{ $job.method | quote }}
          - --calibration
          - {{ printf "%s/%s" (include "luq-server.setsDirectory" .) $job.calibrationSet | quote }}
          - --evaluation
          - {{ printf "%s/%s" (include "luq-server.setsDirectory" .) $job.evaluationSet | quote }}
          {{- with include "luq-server.servingOptions" . }}
          {{- . | nindent 10 }}
          {{- end }}
          {{- with $job.args }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        env:
          - name: LUQ_VARIANT
            value: {{ include "luq-server.variant" . | quote }}
          {{- if $job.schedule }}
          - name: LUQ_VARIANT_EACH_DAY
            value: "true"
          - name: LUQ_JOB
            valueFrom:
              fieldRef:
                fieldPath: metadata.labels['job-name']
          - name: LUQ_VARIANT_PREFIX
            value: {{ include "luq-server.variantPrefix" . | quote }}
          - name: LUQ_KEEP_VARIANTS
            value: {{ $job.keepVariants | quote }}
          {{- end }}
          - name: LUQ_WORKER_PROCESS_NATIVE_CACHE_DIR
            value: /var/cache/luq
          {{- if $job.activate }}
          - name: LUQ_MODEL_ID
            value: {{ $model.id | default "luq-demo" | quote }}
          - name: LUQ_SERVERS
            value: {{ include "luq-server.childName" (list . "headless") }}
          - name: LUQ_SERVER_PORT
            value: "8080"
          - name: LUQ_START_SECONDS
            value: {{ include "luq-server.startSeconds" . | quote }}
          - name: LUQ_SWAP
            value: {{ $job.swap }}
          - name: LUQ_API_KEY
            valueFrom:
              secretKeyRef:
                name: {{ $job.keySecret.name | default (include "luq-server.keySecretName" .) | quote }}
                key: {{ if $job.keySecret.name }}{{ required "requantization.keySecret.key: name the entry of the secret that holds the bare admin key" $job.keySecret.key | quote }}{{ else }}admin-key{{ end }}
          {{- end }}
          {{- with $job.extraEnv }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        resources:
          {{- toYaml $job.resources | nindent 10 }}
        volumeMounts:
          {{- include "luq-server.dataMounts" . | nindent 10 }}
          {{- with .Values.extraVolumeMounts }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
    volumes:
      {{- include "luq-server.dataVolumes" . | trim | nindent 6 }}
      {{- with include "luq-server.fetchVolumes" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with .Values.extraVolumes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- $node := (.Values.affinity | default dict).nodeAffinity }}
    {{- $single := include "luq-server.singleNode" . }}
    {{- if or $node $single }}
    affinity:
      {{- with $node }}
      nodeAffinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if $single }}
      # The volume is on the server's node.
      podAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          - topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "luq-server.selectorLabels" . | nindent 16 }}
      {{- end }}
    {{- end }}
{{- end -}}
