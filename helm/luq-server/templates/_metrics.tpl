{{/* What Prometheus sends to read the metrics, as a field of an endpoint; empty when they are open. */}}
{{- define "luq-server.metricsAuthorization" -}}
{{- if not (or .Values.metrics.open .Values.apiKeys.anonymous) -}}
{{- $key := .Values.metrics.keySecret -}}
{{- if and .Values.apiKeys.existingSecret (not $key.name) -}}
{{- fail "metrics: apiKeys.existingSecret holds role:key lines, which Prometheus cannot send; name a secret with one bare key in metrics.keySecret, or set metrics.open" -}}
{{- end -}}
authorization:
  credentials:
    name: {{ $key.name | default (include "luq-server.keySecretName" .) | quote }}
    key: {{ if $key.name }}{{ required "metrics.keySecret.key: name the entry of the secret that holds the bare key" $key.key | quote }}{{ else }}{{ include "luq-server.bareKey" . }}{{ end }}
{{- end -}}
{{- end -}}

{{/* How an endpoint is scraped: (list $ values), of a ServiceMonitor or PodMonitor. */}}
{{- define "luq-server.scrape" -}}
{{- $root := index . 0 -}}
{{- with index . 1 -}}
interval: {{ .interval }}
scrapeTimeout: {{ .scrapeTimeout }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{ include "luq-server.metricsAuthorization" $root }}
{{- end -}}

{{/* Labels by which the series of this release's pods are found; both monitors add them. */}}
{{- define "luq-server.series" -}}
{{- $suffix := get (dict "Deployment" "-[a-z0-9]+-[a-z0-9]+" "StatefulSet" "-[0-9]+" "DaemonSet" "-[a-z0-9]+") .Values.kind -}}
namespace="{{ .Release.Namespace }}",pod=~"{{ include "luq-server.fullname" . }}{{ $suffix }}"
{{- end -}}
