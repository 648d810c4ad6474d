{{- define "agent-trust.labels" -}}
{{ include "agent-trust.selector" . }}
{{ include "agent-trust.labels.release" . }}
{{- end -}}

{{- define "agent-trust.webhook.labels" -}}
{{ include "agent-trust.webhook.selector" . }}
{{ include "agent-trust.labels.release" . }}
{{- end -}}

{{- define "agent-trust.labels.release" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "agent-trust.selector" -}}
app.kubernetes.io/name: agent-trust
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "agent-trust.webhook.selector" -}}
app.kubernetes.io/name: agent-trust
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "agent-trust.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* Namespaces that hold no agents: of Kubernetes, of the mesh, the operator's own. */ -}}
{{- define "agent-trust.reserved" -}}
{{ list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace .Values.mesh.rootNamespace | uniq | toJson }}
{{- end -}}

{{- /* Selects the governed namespaces. Every namespace has the label, so that the empty list selects none. */ -}}
{{- define "agent-trust.governed" -}}
matchExpressions:
{{- if .Values.clusterWide }}
- {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ include "agent-trust.reserved" . }}}
{{- else if .Values.namespaces }}
- {key: kubernetes.io/metadata.name, operator: In, values: {{ toJson .Values.namespaces }}}
{{- else }}
- {key: kubernetes.io/metadata.name, operator: DoesNotExist}
{{- end }}
{{- end -}}

{{- /* The same and the operator's own namespace. */ -}}
{{- define "agent-trust.governedOrOwn" -}}
matchExpressions:
{{- if .Values.clusterWide }}
- {key: kubernetes.io/metadata.name, operator: NotIn, values: {{ without (include "agent-trust.reserved" . | fromJsonArray) .Release.Namespace | toJson }}}
{{- else }}
- {key: kubernetes.io/metadata.name, operator: In, values: {{ append .Values.namespaces .Release.Namespace | toJson }}}
{{- end }}
{{- end -}}

{{- /* The same as a flag. */ -}}
{{- define "agent-trust.namespaces" -}}
{{ if .Values.clusterWide }}*{{ else }}{{ join "," .Values.namespaces }}{{ end }}
{{- end -}}

{{- /* PromQL: whether a counter has grown within an hour, also one that was not there before. */ -}}
{{- define "agent-trust.countedLately" -}}
increase({{ . }}[1h]) > 0 or ({{ . }} > 0 unless {{ . }} offset 1h)
{{- end -}}
