{{/* What every pod of the chart has: its account and user, what its image is pulled with, where it may run. */}}
{{- define "luq-server.podBase" -}}
serviceAccountName: {{ include "luq-server.serviceAccountName" . | quote }}
automountServiceAccountToken: false
# A Service named luq-server would put LUQ_SERVER_PORT and the like into the server's configuration.
enableServiceLinks: false
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.schedulerName }}
schedulerName: {{ . | quote }}
{{- end }}
{{- with .Values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What every container of the chart has: the application's image, hardened. */}}
{{- define "luq-server.containerBase" -}}
image: {{ include "luq-server.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  {{- toYaml .Values.securityContext | nindent 2 }}
{{- end -}}

{{/* The mount of the keys; empty without keys. */}}
{{- define "luq-server.keysMount" -}}
{{- if not .Values.apiKeys.anonymous -}}
- name: api-keys
  mountPath: /etc/luq/keys
  readOnly: true
{{- end -}}
{{- end -}}

{{/* Its volume. */}}
{{- define "luq-server.keysVolume" -}}
{{- if not .Values.apiKeys.anonymous -}}
- name: api-keys
  secret:
    secretName: {{ include "luq-server.keySecretName" . | quote }}
    defaultMode: 0440
    items:
      - key: {{ include "luq-server.keySecretKey" . | quote }}
        path: api-keys
{{- end -}}
{{- end -}}

{{/* Containers of the values, hardened as the chart's own where they do not say otherwise: (list $ containers). */}}
{{- define "luq-server.hardened" -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
- {{ toYaml (mergeOverwrite (deepCopy (dict "securityContext" $root.Values.securityContext)) .) | nindent 2 | trim }}
{{- end -}}
{{- end -}}

{{/* What runs before whoever reads the models, a container of these resources: it brings them and the sets: (list $ resources). */}}
{{- define "luq-server.prepareContainers" -}}
{{- $root := index . 0 -}}
{{- print (include "luq-server.fetchContainer" .) (include "luq-server.setsContainer" .) (include "luq-server.hardened" (list $root $root.Values.initContainers)) | trim -}}
{{- end -}}

{{/* The pods of the server, whatever runs them. */}}
{{- define "luq-server.podTemplate" -}}
{{- $resources := include "luq-server.resources" . | fromYaml -}}
metadata:
  labels:
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- include "luq-server.labels" . | nindent 4 }}
  annotations:
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    checksum/config: {{ include (print .Template.BasePath "/configmap.yaml") . | sha256sum }}
spec:
  {{- include "luq-server.podBase" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with include "luq-server.prepareContainers" (list . $resources) }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: server
      {{- include "luq-server.containerBase" . | nindent 6 }}
      {{- with .Values.args }}
      args:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      env:
        - name: QUARKUS_HTTP_HOST
          # Of both families; where a node has no IPv6, it cannot be bound.
          value: {{ if or (has "IPv6" .Values.service.ipFamilies) (hasSuffix "DualStack" .Values.service.ipFamilyPolicy) }}"::"{{ else }}0.0.0.0{{ end }}
        - name: QUARKUS_HTTP_PORT
          value: "8080"
        - name: QUARKUS_CONFIG_LOCATIONS
          value: /etc/luq/config/application.properties
        - name: LUQ_DATA_DIR
          value: {{ include "luq-server.dataDirectory" . }}
        - name: LUQ_ADMIN_MODELS_DIR
          value: {{ include "luq-server.volumeDirectory" . }}
        - name: LUQ_SETS_ROOT
          value: {{ include "luq-server.setsDirectory" . }}
        - name: LUQ_WORKER_DRAIN_TIME
          value: {{ printf "%ds" (int .Values.drainSeconds) }}
        # Connections close after it without a word: answers that are given up say so before.
        - name: QUARKUS_SHUTDOWN_TIMEOUT
          value: {{ printf "%ds" (add .Values.drainSeconds 5) }}
        - name: LUQ_WORKER_PROCESS_NATIVE_CACHE_DIR
          value: /var/cache/luq
        {{- with include "luq-server.modelMemory" . }}
        # Of the limit that the chart makes the rest is the server's.
        - name: LUQ_WORKER_MEMORY_LIMIT_BYTES
          value: {{ . | quote }}
        {{- end }}
        {{- if .Values.metrics.open }}
        - name: LUQ_API_OPEN_METRICS
          value: "true"
        {{- end }}
        {{- if .Values.apiKeys.anonymous }}
        - name: LUQ_API_ANONYMOUS
          value: "true"
        {{- else }}
        - name: LUQ_API_KEYS_FILE
          value: /etc/luq/keys/api-keys
        {{- end }}
        {{- with .Values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .Values.envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
          protocol: TCP
      startupProbe:
        httpGet:
          path: /q/health/started
          port: http
        {{- with .Values.probes.startup }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      livenessProbe:
        httpGet:
          path: /q/health/live
          port: http
        {{- with .Values.probes.liveness }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      readinessProbe:
        httpGet:
          path: /q/health/ready
          port: http
        {{- with .Values.probes.readiness }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if gt (int .Values.preStopSeconds) 0 }}
      lifecycle:
        preStop:
          # Endpoints are withdrawn while the pod stops: keep answering until everyone has heard of it.
          {{- if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version }}
          sleep:
            seconds: {{ .Values.preStopSeconds }}
          {{- else }}
          exec:
            command: [/bin/sleep, {{ .Values.preStopSeconds | quote }}]
          {{- end }}
      {{- end }}
      resources:
        {{- toYaml $resources | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/luq/config
          readOnly: true
        {{- with include "luq-server.keysMount" . }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- include "luq-server.dataMounts" . | nindent 8 }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- include "luq-server.hardened" (list $ .) | nindent 4 }}
    {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "luq-server.childName" (list . "config") }}
    {{- with include "luq-server.keysVolume" . }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- include "luq-server.dataVolumes" . | trim | nindent 4 }}
    {{- with include "luq-server.fetchVolumes" . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  affinity:
    {{- if .Values.affinity }}
    {{- toYaml .Values.affinity | nindent 4 }}
    {{- else }}
    # Processors and memory bandwidth are what serving needs: two replicas on one node share them.
    podAntiAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
        - weight: 100
          podAffinityTerm:
            topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "luq-server.selectorLabels" . | nindent 16 }}
    {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    {{- $ours := dict "labelSelector" (dict "matchLabels" (include "luq-server.selectorLabels" $ | fromYaml)) }}
    - {{- toYaml (merge (dict) . $ours) | nindent 6 }}
    {{- end }}
  {{- end }}
{{- end -}}
