{{/* The rules for what a pod that reads the models connects to. */}}
{{- define "luq-server.egress" -}}
{{- $ports := list -}}
{{- range .Values.models -}}
{{- with .source -}}
{{- range .files -}}
{{- $host := (urlParse .url).host -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $host) | default (ternary "443" "80" (hasPrefix "https:" .url)) | int) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $ports -}}
# Model files are fetched: by names, from wherever they are.
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
    {{- range $ports | uniq }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- else -}}
{{- toYaml .Values.networkPolicy.egress -}}
{{- end -}}
{{- end -}}
