/** What the NetworkPolicies of a cluster let through: labels, addresses and ports, no identity and no HTTP. */

import {
  type CalledPod,
  type Decision,
  hasLabels,
  type MeshRequest,
  nameOf,
  type PolicyObject,
} from './policy-object.ts';

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string };
}

interface Port {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly Port[];
}

interface NetworkPolicySpec {
  readonly podSelector?: Selector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

interface Pod {
  readonly namespace: string;
  readonly labels: Labels;
}

/** Port of mutual TLS between ztunnels. */
const HBONE_PORT = 15008;

/** Whether the caller's egress and the called pod's ingress both let the connection through. */
export function networkAllows(
  objects: Iterable<PolicyObject>,
  pod: CalledPod,
  request: MeshRequest,
): Decision {
  const policies = [...objects].filter(({ kind }) => kind === 'NetworkPolicy');
  const port = pod.dataPlane === 'ambient' && request.principal !== undefined ? HBONE_PORT : request.port;
  const sides = [
    { type: 'Egress', at: request, peer: pod },
    { type: 'Ingress', at: pod, peer: request },
  ] as const;
  for (const { type, at, peer } of sides) {
    const selecting = policies.filter((policy) => selects(policy, at, type));
    const admits = selecting.some(({ spec }) =>
      rulesOf(spec ?? {}, type).some(
        ({ peers, ports }) => peerMatches(peers, peer, at) && portMatches(ports, port),
      ),
    );
    if (selecting.length > 0 && !admits) {
      return { allowed: false, reason: `${type} not in ${selecting.map(nameOf).join(', ')}` };
    }
  }
  return { allowed: true, reason: 'no NetworkPolicy is against it' };
}

function selects({ metadata, spec }: PolicyObject, pod: Pod, type: 'Ingress' | 'Egress'): boolean {
  const { podSelector, policyTypes, egress }: NetworkPolicySpec = spec ?? {};
  const types = policyTypes ?? (egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']);
  return (
    metadata.namespace === pod.namespace && types.includes(type) && selectorMatches(podSelector, pod.labels)
  );
}

function rulesOf(
  { ingress = [], egress = [] }: NetworkPolicySpec,
  type: 'Ingress' | 'Egress',
): readonly { readonly peers: readonly Peer[]; readonly ports: readonly Port[] }[] {
  const rules = type === 'Ingress' ? ingress : egress;
  return rules.map(({ from, to, ports = [] }) => ({ peers: (type === 'Ingress' ? from : to) ?? [], ports }));
}

function peerMatches(peers: readonly Peer[], pod: Pod, at: Pod): boolean {
  return (
    peers.length === 0 ||
    peers.some(({ podSelector, namespaceSelector, ipBlock }) => {
      if (ipBlock !== undefined) return isEverywhere(ipBlock.cidr);
      const inNamespace =
        namespaceSelector === undefined
          ? pod.namespace === at.namespace
          : selectorMatches(namespaceSelector, { 'kubernetes.io/metadata.name': pod.namespace });
      return inNamespace && selectorMatches(podSelector, pod.labels);
    })
  );
}

/** Pods of these tests have no address: they are in all addresses and in no link-local one. */
function isEverywhere(cidr: string): boolean {
  if (cidr.endsWith('/0')) return true;
  if (cidr.startsWith('169.254.')) return false;
  throw new Error(`a call of this test has no address to compare with ${cidr}`);
}

function portMatches(ports: readonly Port[], port: number): boolean {
  return (
    ports.length === 0 ||
    ports.some(({ protocol = 'TCP', port: first, endPort }) => {
      if (protocol !== 'TCP') return false;
      if (first === undefined) return true;
      if (typeof first === 'string') throw new Error(`a pod of this test has no port named ${first}`);
      return port >= first && port <= (endPort ?? first);
    })
  );
}

/** An absent or empty selector selects everything; namespaces of these tests have their name as only label. */
function selectorMatches(
  { matchLabels = {}, matchExpressions = [] }: Selector = {},
  labels: Labels,
): boolean {
  return (
    hasLabels(labels, matchLabels) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isListed = value !== undefined && values.includes(value);
      return operator === 'In' ? isListed : !isListed;
    })
  );
}
