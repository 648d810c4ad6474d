package main

import (
	"encoding/json"
	"fmt"
	"strings"

	hcm "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	meshconfig "istio.io/api/mesh/v1alpha1"
	security "istio.io/api/security/v1beta1"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/security/authz/builder"
	"istio.io/istio/pilot/pkg/security/trustdomain"
	"istio.io/istio/pkg/config/host"
	"istio.io/istio/pkg/config/labels"
	"istio.io/istio/pkg/util/protomarshal"
)

// question asks for the filters of many workloads in many clusters that share a mesh configuration.
type question struct {
	// MeshConfig is Istio's own: trustDomain, trustDomainAliases, rootNamespace, extensionProviders.
	MeshConfig json.RawMessage `json:"meshConfig"`
	Clusters   []cluster       `json:"clusters"`
}

type cluster struct {
	// Objects of Istio; other kinds are refused.
	Objects   []json.RawMessage `json:"objects"`
	Workloads []workload        `json:"workloads"`
}

type workload struct {
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels"`
}

// filters answers with the filters of each workload of each cluster, in the order in which Envoy must have them.
func filters(input []byte) ([][][]json.RawMessage, error) {
	var asked question
	if err := json.Unmarshal(input, &asked); err != nil {
		return nil, err
	}
	mesh := &meshconfig.MeshConfig{}
	if err := protomarshal.ApplyJSON(string(asked.MeshConfig), mesh); err != nil {
		return nil, fmt.Errorf("mesh configuration: %w", err)
	}
	answers := make([][][]json.RawMessage, 0, len(asked.Clusters))
	for _, each := range asked.Clusters {
		answer, err := filtersOfCluster(mesh, each)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

func filtersOfCluster(mesh *meshconfig.MeshConfig, asked cluster) ([][]json.RawMessage, error) {
	policies, err := authorizationPolicies(mesh.RootNamespace, asked.Objects)
	if err != nil {
		return nil, err
	}
	push := &model.PushContext{AuthzPolicies: policies, Mesh: mesh}
	push.ServiceIndex.HostnameAndNamespace = providerServices(mesh)
	answers := make([][]json.RawMessage, 0, len(asked.Workloads))
	for _, each := range asked.Workloads {
		answer, err := filtersOfWorkload(push, each)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, nil
}

// authorizationPolicies holds all objects to what the webhook demands, and keeps the AuthorizationPolicies.
func authorizationPolicies(rootNamespace string, objects []json.RawMessage) (*model.AuthorizationPolicies, error) {
	policies := &model.AuthorizationPolicies{
		NamespaceToPolicies: map[string][]model.AuthorizationPolicy{},
		RootNamespace:       rootNamespace,
	}
	for _, object := range objects {
		parsed, _, err := parse(object)
		if err != nil {
			return nil, err
		}
		spec, isPolicy := parsed.Spec.(*security.AuthorizationPolicy)
		if !isPolicy {
			continue
		}
		policies.NamespaceToPolicies[parsed.Namespace] = append(policies.NamespaceToPolicies[parsed.Namespace],
			model.AuthorizationPolicy{
				Name: parsed.Name, Namespace: parsed.Namespace, Annotations: parsed.Annotations, Spec: spec,
			})
	}
	return policies, nil
}

// providerServices makes a Service of each external authorizer: istiod denies all that one of an unknown Service covers.
func providerServices(mesh *meshconfig.MeshConfig) map[host.Name]map[string]*model.Service {
	services := map[host.Name]map[string]*model.Service{}
	for _, provider := range mesh.ExtensionProviders {
		name := provider.GetEnvoyExtAuthzHttp().GetService() + provider.GetEnvoyExtAuthzGrpc().GetService()
		namespace, hostname, isQualified := strings.Cut(name, "/")
		if !isQualified {
			namespace, hostname = "", name
		}
		services[host.Name(hostname)] = map[string]*model.Service{namespace: {Hostname: host.Name(hostname)}}
	}
	return services
}

func filtersOfWorkload(push *model.PushContext, asked workload) ([]json.RawMessage, error) {
	matcher := model.PolicyMatcherFor(asked.Namespace, labels.Instance(asked.Labels), false).
		WithRootNamespace(push.Mesh.RootNamespace)
	policies := push.AuthzPolicies.ListAuthorizationPolicies(matcher)
	bundle := trustdomain.NewBundle(push.Mesh.TrustDomain, push.Mesh.TrustDomainAliases)
	var built []*hcm.HttpFilter
	for _, isCustom := range []bool{true, false} {
		// without policies of its pass the builder is nil
		if pass := builder.New(bundle, push, policies, builder.Option{IsCustomBuilder: isCustom}); pass != nil {
			built = append(built, pass.BuildHTTP()...)
		}
	}
	answer := make([]json.RawMessage, 0, len(built))
	for _, filter := range built {
		text, err := protomarshal.ToJSON(filter)
		if err != nil {
			return nil, err
		}
		answer = append(answer, json.RawMessage(text))
	}
	return answer, nil
}
