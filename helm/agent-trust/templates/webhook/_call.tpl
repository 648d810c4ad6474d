{{- /* How the API server asks: the list of root and the last part of the path. */ -}}
{{- define "agent-trust.webhook.call" -}}
{{- $root := index . 0 -}}
clientConfig:
  service:
    name: agent-trust-webhook
    namespace: {{ $root.Release.Namespace }}
    port: 443
    path: /review/{{ index . 1 }}
admissionReviewVersions: [v1]
failurePolicy: Fail
matchPolicy: Equivalent
sideEffects: None
timeoutSeconds: 5
{{- end -}}
