package main

import (
	"encoding/json"
	"fmt"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/schema/collections"
	"istio.io/istio/pkg/config/schema/resource"
)

// verdict is what the admission webhook says about one object; an empty Error admits it.
type verdict struct {
	Error   string `json:"error,omitempty"`
	Warning string `json:"warning,omitempty"`
}

// validate judges each object of a JSON list.
func validate(input []byte) ([]verdict, error) {
	var objects []json.RawMessage
	if err := json.Unmarshal(input, &objects); err != nil {
		return nil, err
	}
	verdicts := make([]verdict, 0, len(objects))
	for _, object := range objects {
		_, warning, err := parse(object)
		verdicts = append(verdicts, verdict{Error: text(err), Warning: text(warning)})
	}
	return verdicts, nil
}

// parse takes the steps of the webhook's validate method (pkg/webhooks/validation/server).
func parse(object json.RawMessage) (parsed *config.Config, warning error, err error) {
	var kind crd.IstioKind
	if err := json.Unmarshal(object, &kind); err != nil {
		return nil, nil, fmt.Errorf("cannot decode configuration: %w", err)
	}
	gvk := kind.GroupVersionKind()
	schema, exists := collections.Pilot.FindByGroupKind(resource.FromKubernetesGVK(&gvk))
	if !exists {
		return nil, nil, fmt.Errorf("unrecognized type %v", gvk)
	}
	parsed, err = crd.ConvertObject(schema, &kind, "cluster.local")
	if err != nil {
		return nil, nil, fmt.Errorf("error decoding configuration: %w", err)
	}
	warnings, err := schema.ValidateConfig(*parsed)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration is invalid: %w", err)
	}
	return parsed, warnings, nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
