{{- define "luq-server.claimName" -}}
{{- default (include "luq-server.childName" (list . "data")) .Values.persistence.existingClaim -}}
{{- end -}}

{{/* Not empty when each replica has a claim of its own. */}}
{{- define "luq-server.ownClaims" -}}
{{- if and .Values.persistence.enabled (not .Values.persistence.existingClaim) (eq .Values.kind "StatefulSet") -}}true{{- end -}}
{{- end -}}

{{/* Not empty when the claim is mounted without the right to write: what the server writes goes elsewhere. */}}
{{- define "luq-server.readOnlyClaim" -}}
{{- with .Values.persistence -}}
{{- if and .enabled (or .readOnly (eq (join "," .accessModes) "ReadOnlyMany")) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty when what the server writes goes to an emptyDir. */}}
{{- define "luq-server.dataIsScratch" -}}
{{- if or (not .Values.persistence.enabled) (include "luq-server.readOnlyClaim" .) -}}true{{- end -}}
{{- end -}}

{{/* Not empty when all replicas share a volume that the pods of two nodes cannot hold at once. */}}
{{- define "luq-server.singleNode" -}}
{{- if not (include "luq-server.ownClaims" .) -}}
{{- with .Values.persistence -}}
{{- if and .enabled (not (has "ReadWriteMany" .accessModes)) (not (and (include "luq-server.readOnlyClaim" $) (has "ReadOnlyMany" .accessModes))) -}}true{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "luq-server.claimSpec" -}}
accessModes:
  {{- toYaml .Values.persistence.accessModes | nindent 2 }}
{{- with .Values.persistence.storageClass }}
storageClassName: {{ . | quote }}
{{- end }}
{{- with .Values.persistence.volumeName }}
volumeName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .Values.persistence.size }}
{{- end -}}

{{/* Where the claim is mounted, and what model files are relative to. */}}
{{- define "luq-server.volumeDirectory" -}}/var/lib/luq{{- end -}}

{{/* What the server makes. */}}
{{- define "luq-server.dataDirectory" -}}
{{- if include "luq-server.readOnlyClaim" . -}}/var/lib/luq-data{{- else -}}/var/lib/luq/data{{- end -}}
{{- end -}}

{{/* The folder whose sub-folders are calibration and evaluation sets: the demo model's own where it is served. */}}
{{- define "luq-server.setsDirectory" -}}
{{- if .Values.sets -}}
/var/lib/luq-sets
{{- else if .Values.models -}}
{{- include "luq-server.volumeDirectory" . }}/sets
{{- else -}}
/opt/luq/models/demo
{{- end -}}
{{- end -}}

{{/* What the files of a model are relative to: (list $ model). */}}
{{- define "luq-server.modelDirectory" -}}
{{- $root := index . 0 -}}
{{- $model := index . 1 -}}
{{- $source := $model.source | default dict -}}
{{- if or $source.claim $source.image -}}
/models/{{ $model.id }}
{{- else if $source.files -}}
{{- include "luq-server.volumeDirectory" $root }}/models/{{ $model.id }}
{{- else if $root.Values.persistence.enabled -}}
{{- include "luq-server.volumeDirectory" $root -}}
{{- else -}}
{{- fail (printf "models: the files of %q lie on the data volume, but persistence.enabled is false: switch it on, give a source, or give absolute paths below one of extraVolumeMounts" $model.id) -}}
{{- end -}}
{{- end -}}

{{/* A model file: an absolute path as it is, any other below its directory: (list $ model "path"). */}}
{{- define "luq-server.modelFile" -}}
{{- $path := index . 2 -}}
{{- if hasPrefix "/" $path -}}
{{- $path -}}
{{- else -}}
{{- printf "%s/%s" (include "luq-server.modelDirectory" .) $path -}}
{{- end -}}
{{- end -}}

{{/* The mount of the data volume. */}}
{{- define "luq-server.dataMount" -}}
- name: data
  mountPath: {{ include "luq-server.volumeDirectory" . }}
  {{- if include "luq-server.readOnlyClaim" . }}
  readOnly: true
  {{- end }}
  {{- if .Values.persistence.enabled }}
  {{- with .Values.persistence.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/* What servers and re-quantizations mount alike: the data volume, models, sets, and room for what they unpack. */}}
{{- define "luq-server.dataMounts" -}}
{{ include "luq-server.dataMount" . }}
{{- if include "luq-server.readOnlyClaim" . }}
- name: state
  mountPath: {{ include "luq-server.dataDirectory" . }}
{{- end }}
- name: tmp
  mountPath: /tmp
- name: native-cache
  mountPath: /var/cache/luq
{{- range $i, $model := .Values.models }}
{{- with $model.source }}
{{- if or .claim .image }}
- name: model-{{ $i }}
  mountPath: {{ include "luq-server.modelDirectory" (list $ $model) }}
  readOnly: true
  {{- with .claim }}
  {{- with .subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.sets }}
- name: sets
  mountPath: {{ include "luq-server.setsDirectory" . }}
{{- range $i, $set := .Values.sets }}
{{- if $set.claim }}
- name: set-{{ $i }}
  mountPath: {{ include "luq-server.setsDirectory" $ }}/{{ $set.name }}
  readOnly: true
  {{- with $set.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The volumes of these. */}}
{{- define "luq-server.dataVolumes" -}}
{{- if not (include "luq-server.ownClaims" .) }}
- name: data
  {{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ include "luq-server.claimName" . | quote }}
    {{- if include "luq-server.readOnlyClaim" . }}
    readOnly: true
    {{- end }}
  {{- else }}
  emptyDir:
    sizeLimit: {{ .Values.scratch.dataSizeLimit }}
  {{- end }}
{{- end }}
{{- if include "luq-server.readOnlyClaim" . }}
- name: state
  emptyDir:
    sizeLimit: {{ .Values.scratch.dataSizeLimit }}
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.scratch.sizeLimit }}
- name: native-cache
  emptyDir:
    sizeLimit: {{ .Values.scratch.sizeLimit }}
{{- range $i, $model := .Values.models }}
{{- with $model.source }}
{{- with .claim }}
- name: model-{{ $i }}
  persistentVolumeClaim:
    claimName: {{ .name | quote }}
    readOnly: true
{{- end }}
{{- with .image }}
- name: model-{{ $i }}
  image:
    reference: {{ .reference | quote }}
    pullPolicy: {{ .pullPolicy | default "IfNotPresent" }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.sets }}
- name: sets
  emptyDir:
    sizeLimit: {{ .Values.scratch.sizeLimit }}
{{- range $i, $set := .Values.sets }}
- name: set-{{ $i }}
  {{- if $set.claim }}
  persistentVolumeClaim:
    claimName: {{ $set.claim | quote }}
    readOnly: true
  {{- else }}
  configMap:
    name: {{ $set.configMap | quote }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Copies the sets of ConfigMaps: there each file is a link, and links are no part of a set. It runs before a container of
these resources: (list $ resources).
*/}}
{{- define "luq-server.setsContainer" -}}
{{- $resources := index . 1 -}}
{{- with index . 0 -}}
{{- $copied := list -}}
{{- range .Values.sets }}{{ if .configMap }}{{ $copied = append $copied .name }}{{ end }}{{ end -}}
{{- if $copied }}
- name: copy-sets
  {{- include "luq-server.containerBase" . | nindent 2 }}
  command:
    - /bin/bash
    - -ec
    - for set; do mkdir -p "{{ include "luq-server.setsDirectory" . }}/$set"; cp -L "/etc/luq/sets/$set/"* "{{ include "luq-server.setsDirectory" . }}/$set/"; done
    - copy-sets
  args:
    {{- toYaml $copied | nindent 4 }}
  resources:
    {{- include "luq-server.smallResources" (list . $resources) | nindent 4 }}
  volumeMounts:
    - name: sets
      mountPath: {{ include "luq-server.setsDirectory" . }}
    {{- range $i, $set := .Values.sets }}
    {{- if $set.configMap }}
    - name: set-{{ $i }}
      mountPath: /etc/luq/sets/{{ $set.name }}
      readOnly: true
    {{- end }}
    {{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The name that a file of a source gets. */}}
{{- define "luq-server.sourceFile" -}}
{{- .file | default (base (first (splitList "?" .url))) -}}
{{- end -}}

{{/* Fetches the files of models that have addresses, to the data volume, with what the server's image has for it; as above. */}}
{{- define "luq-server.fetchContainer" -}}
{{- $root := index . 0 -}}
{{- $resources := index . 1 -}}
{{- with $root -}}
{{- $fetched := false -}}
{{- range .Values.models }}{{ with .source }}{{ if .files }}{{ $fetched = true }}{{ end }}{{ end }}{{ end -}}
{{- if $fetched }}
- name: fetch-models
  {{- include "luq-server.containerBase" . | nindent 2 }}
  command:
    - /bin/sh
    - -c
    - |
      {{- .Files.Get "files/fetch-models.sh" | trim | nindent 6 }}
    - fetch-models
  {{- with .Values.fetch.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  args:
    {{- range $model := .Values.models }}
    {{- with $model.source }}
    {{- $header := "" }}
    {{- with .headerSecret }}{{ $header = printf "/etc/luq/fetch/%s" $model.id }}{{ end }}
    {{- range .files }}
    - {{ printf "%s/%s" (include "luq-server.modelDirectory" (list $root $model)) (include "luq-server.sourceFile" .) | quote }}
    - {{ .url | quote }}
    - {{ .sha256 | quote }}
    - {{ $header | quote }}
    {{- end }}
    {{- end }}
    {{- end }}
  resources:
    {{- include "luq-server.smallResources" (list . $resources) | nindent 4 }}
  volumeMounts:
    {{- include "luq-server.dataMount" . | nindent 4 }}
    - name: tmp
      mountPath: /tmp
    {{- range $i, $model := .Values.models }}
    {{- with $model.source }}
    {{- if .headerSecret }}
    - name: fetch-{{ $i }}
      mountPath: /etc/luq/fetch/{{ $model.id }}
      subPath: {{ .headerSecret.key | quote }}
      readOnly: true
    {{- end }}
    {{- end }}
    {{- end }}
    {{- with .Values.fetch.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The Secrets of these. */}}
{{- define "luq-server.fetchVolumes" -}}
{{- range $i, $model := .Values.models }}
{{- with $model.source }}
{{- with .headerSecret }}
- name: fetch-{{ $i }}
  secret:
    secretName: {{ .name | quote }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
