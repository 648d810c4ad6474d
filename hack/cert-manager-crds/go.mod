module agenttrust.dev/hack/cert-manager-crds

go 1.25.9

require github.com/cert-manager/cert-manager v1.21.2
