/** What MeshReady finds, listed in docs/reference/conditions.md. */

/** What the message of MeshReady begins with when something is not as it should be: what it means, and the way out. */
export const MESH_FINDINGS: Readonly<Record<string, { readonly means: string; readonly wayOut: string }>> = {
  HostNetwork: {
    means: 'Pods use the network of their node, where neither mesh nor NetworkPolicy reaches.',
    wayOut: 'Take hostNetwork out of the pod template.',
  },
  UnlabelledPods: {
    means: 'Pods run as the agent without the label agenttrust.dev/identity, and are open to every caller.',
    wayOut: 'Restart them, or put the label into the pod template.',
  },
  InjectionOff: {
    means: 'The pod template keeps pods out of the mesh.',
    wayOut: 'Take sidecar.istio.io/inject or istio.io/dataplane-mode out of it.',
  },
  NotMeshed: {
    means: 'Pods run without a proxy of the mesh: only the NetworkPolicy holds.',
    wayOut: 'Restart them, so that Istio takes them in.',
  },
  TrafficExcluded: {
    means: 'Annotations of Istio take calls past the proxy.',
    wayOut: 'Take them out of the pod template.',
  },
  NamespaceNotMeshed: {
    means: 'Istio is there, but the namespace is not in the mesh.',
    wayOut: 'Label it istio-injection=enabled or istio.io/dataplane-mode=ambient, and restart the pods.',
  },
  PermissivePeer: {
    means: 'A PeerAuthentication of somebody else that is older than ours lets in calls without mutual TLS.',
    wayOut: 'Delete it, or set it to STRICT.',
  },
  ForeignNetworkPolicy: {
    means: 'A NetworkPolicy of somebody else selects the pods; what it lets in, ours cannot refuse.',
    wayOut: 'Delete it, or let it select other pods.',
  },
  WaypointNotYet: {
    means: 'Calls come through a waypoint, which this version renders no policy for: nobody may call.',
    wayOut: 'Take the label istio.io/use-waypoint off the namespace and its Services.',
  },
  LayerFourOnly: {
    means: 'In ambient without a waypoint the mesh checks who calls and the port, not methods and paths.',
    wayOut: 'Nothing to do where a verifier in the agent checks the rest.',
  },
  CallerIgnored: {
    means: 'An entry of callers is left out in part.',
    wayOut: 'Its paths must be exact and none of them a route, its ServiceAccounts no agents.',
  },
  RouteIgnored: {
    means: 'A route is closed, because the mesh cannot match its path.',
    wayOut: 'Use {name}, {*} and {**} only as whole segments.',
  },
  TrustDomainMismatch: {
    means: "The mesh's trust domain is another than the chart's: nobody is let in.",
    wayOut: 'Set trustDomain of the chart to that of the mesh.',
  },
  ProviderMissing: {
    means: 'The ext_authz provider is not in the mesh config: the mesh refuses every call.',
    wayOut: 'Add it to extensionProviders.',
  },
  ProviderFailsOpen: {
    means: 'The ext_authz provider lets calls through when the authorizer is away.',
    wayOut: 'Set failOpen to false.',
  },
  ProviderWithoutTimeout: {
    means: 'Istio waits 600 s for the authorizer.',
    wayOut: 'Set timeout of the provider, for example to 1s.',
  },
  ForeignAllow: {
    means:
      'An AuthorizationPolicy of somebody else allows calls to the pods. Our DENY policy keeps everybody out who may not call at all.',
    wayOut: 'Delete it, or let it select other pods.',
  },
};
