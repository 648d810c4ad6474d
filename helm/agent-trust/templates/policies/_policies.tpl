{{- /* Users of ServiceAccounts of this chart, as CEL strings. */ -}}
{{- define "agent-trust.user.controller" -}}
'system:serviceaccount:{{ .Release.Namespace }}:agent-trust-controller'
{{- end -}}
{{- define "agent-trust.user.webhook" -}}
'system:serviceaccount:{{ .Release.Namespace }}:agent-trust-webhook'
{{- end -}}

{{- /* Users of Kubernetes that take away what has no owner or no namespace any more, as a CEL list. */ -}}
{{- define "agent-trust.cleaners" -}}
['system:kube-controller-manager', 'system:serviceaccount:kube-system:generic-garbage-collector', 'system:serviceaccount:kube-system:namespace-controller']
{{- end -}}

{{- /* CEL: whether the namespace called by the CEL expression is governed. The list of root and that expression. */ -}}
{{- define "agent-trust.isGoverned" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- if $root.Values.clusterWide -}}
!({{ $name }}.startsWith('kube-') || {{ $name }} in ['{{ $root.Release.Namespace }}', '{{ $root.Values.mesh.rootNamespace }}'])
{{- else -}}
{{ $name }} in [{{ range $at, $each := $root.Values.namespaces }}{{ if $at }}, {{ end }}'{{ $each }}'{{ end }}]
{{- end -}}
{{- end -}}

{{- /* CEL: the ServiceAccount that an AgentIdentity is. The list of the CEL expression of the AgentIdentity. */ -}}
{{- define "agent-trust.account" -}}
(has({{ . }}.spec.serviceAccountName) ? {{ . }}.spec.serviceAccountName : {{ . }}.metadata.name)
{{- end -}}

{{- /* Head of a policy: the list of root and its name. */ -}}
{{- define "agent-trust.policy" -}}
{{- $root := index . 0 -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: agent-trust-{{ index . 1 }}
  labels: {{- include "agent-trust.labels" $root | nindent 4 }}
{{- end -}}

{{- /* Binding of a policy: the list of root, its name and, unless it holds everywhere, the template that selects namespaces. */ -}}
{{- define "agent-trust.binding" -}}
{{- $root := index . 0 -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: agent-trust-{{ index . 1 }}
  labels: {{- include "agent-trust.labels" $root | nindent 4 }}
spec:
  policyName: agent-trust-{{ index . 1 }}
  validationActions: [Deny]
{{- if eq (len .) 3 }}
  matchResources:
    namespaceSelector: {{- include (index . 2) $root | nindent 6 }}
{{- end }}
{{- end -}}
