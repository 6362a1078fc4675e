{{/* Ports of pods that know names: OpenShift's listen on 5353. */}}
{{- define "luq-server.namePorts" -}}
- port: 53
  protocol: UDP
- port: 53
  protocol: TCP
- port: 5353
  protocol: UDP
- port: 5353
  protocol: TCP
{{- end -}}

{{/* The rules for what a pod that reads the models connects to. */}}
{{- define "luq-server.egress" -}}
{{- $ports := list -}}
{{- range .Values.models -}}
{{- with .source -}}
{{- range .files -}}
{{- $host := (urlParse .url).host -}}
{{- $plain := hasPrefix "http:" .url -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $host) | default (ternary "80" "443" $plain) | int) -}}
{{- if $plain -}}
{{- /* Where such an address mostly sends on to. */}}
{{- $ports = append $ports 443 -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if or $ports .Values.networkPolicy.egress -}}
# By names; model files are fetched from wherever they are.
- ports:
    {{- include "luq-server.namePorts" . | nindent 4 }}
    {{- range $ports | uniq }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- else -}}
[]
{{- end -}}
{{- end -}}
