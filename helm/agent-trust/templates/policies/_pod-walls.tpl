{{- /* One validation for each label and annotation that can take a pod out of the mesh: where, key, and CEL of a value v that does not. */ -}}
{{- define "agent-trust.podWalls" -}}
{{- $proxyPorts := "['', '15020', '15021', '15090']" -}}
{{- range list
  (list "labels" "sidecar.istio.io/inject" "v.lowerAscii() in ['', 'true', 'yes', 'y', 'on']")
  (list "annotations" "sidecar.istio.io/inject" "v.lowerAscii() in ['', 'true', 'yes', 'y', 'on']")
  (list "labels" "istio.io/dataplane-mode" "v != 'none'")
  (list "annotations" "ambient.istio.io/bypass-inbound-capture" "v != 'true'")
  (list "annotations" "inject.istio.io/templates" "v.split(',').all(t, !(t.trim() in ['gateway', 'grpc-agent', 'grpc-simple']))")
  (list "annotations" "istio.io/reroute-virtual-interfaces" "v.split(',').all(p, p.trim() == '')")
  (list "annotations" "proxy.istio.io/config" "!v.contains('interceptionMode') && !v.contains('\\\\')")
  (list "annotations" "sidecar.istio.io/interceptionMode" "v != 'NONE'")
  (list "annotations" "traffic.sidecar.istio.io/excludeInboundPorts" (printf "v.split(',').all(p, p.trim() in %s)" $proxyPorts))
  (list "annotations" "traffic.sidecar.istio.io/excludeInterfaces" "v.split(',').all(p, p.trim() == '')")
  (list "annotations" "traffic.sidecar.istio.io/includeInboundPorts" "v.trim() == '*'")
  (list "annotations" "traffic.sidecar.istio.io/kubevirtInterfaces" "v.split(',').all(p, p.trim() == '')")
}}
{{- $entry := printf "object.metadata.?%s['%s']" (index . 0) (index . 1) }}
- expression: >-
    (variables.wasLabelled && {{ $entry }} == oldO{{ trimPrefix "o" $entry }}) || {{ $entry }}.optMap(v, {{ index . 2 }}).orValue(true)
  messageExpression: >-
    'metadata.{{ index . 0 }}: {{ index . 1 }} is "' + {{ $entry }}.orValue('') + '", with which the mesh does not guard this pod of an agent. Leave it out'
{{- end }}
{{- end -}}
