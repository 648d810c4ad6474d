/** NetworkPolicies of targets, and what two of them have in common. Source: networking.k8s.io/v1. */

import { canonical } from './canonical.ts';
import type { MeshObject } from './model.ts';
import { LABEL_IDENTITY } from './names.ts';

/** Pods that may open connections to ports. */
export interface Peers {
  /** Elements of `from`. */
  readonly from: readonly object[];
  readonly ports: readonly number[];
}

/** In ambient, connections between meshed pods arrive at this port (HBONE). */
const HBONE_PORT = 15_008;
/** In ambient, the kubelet's probes arrive from this address. */
const AMBIENT_PROBES = '169.254.7.127/32';

/** The pods of an agent. Both selectors stand in one entry: in two, either would do. */
export function agentPeer(namespace: string, serviceAccountName: string): object {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    podSelector: { matchLabels: { [LABEL_IDENTITY]: serviceAccountName } },
  };
}

/**
 * All pods of a namespace that are of no agent. Pods of a caller that is no agent carry no label of ours, and their other
 * labels say nothing about their ServiceAccount: which of the pods may call what, the mesh decides. Agents of that
 * namespace come in by an edge or not at all.
 */
export function outsidePeer(namespace: string): object {
  return {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    podSelector: { matchExpressions: [{ key: LABEL_IDENTITY, operator: 'DoesNotExist' }] },
  };
}

/**
 * The spec for the pods of one ServiceAccount. `ambient`: what ztunnel and the kubelet's probes need beside. Without peers
 * nobody may call. `isolateEgress`: they may call nobody.
 */
export function networkPolicySpec(
  serviceAccountName: string,
  {
    peers,
    ambient,
    isolateEgress,
  }: { readonly peers: readonly Peers[]; readonly ambient: boolean; readonly isolateEgress: boolean },
): MeshObject['spec'] {
  const pairs = new Set(
    peers.flatMap(({ from, ports }) => pairsOf(from, ambient ? [...ports, HBONE_PORT] : ports)),
  );
  return specOf(serviceAccountName, { pairs, probes: ambient, isolateEgress });
}

/** What both let in; undefined when one of them is not written by this file for that account. */
export function commonNetworkPolicySpec(
  serviceAccountName: string,
  a: MeshObject['spec'],
  b: MeshObject['spec'],
): MeshObject['spec'] | undefined {
  const [left, right] = [readSpec(serviceAccountName, a), readSpec(serviceAccountName, b)];
  if (left === undefined || right === undefined) return undefined;
  return specOf(serviceAccountName, {
    pairs: left.pairs.intersection(right.pairs),
    probes: left.probes && right.probes,
    isolateEgress: left.isolateEgress || right.isolateEgress,
  });
}

interface Content {
  /** `<port> <peer as JSON>`. */
  readonly pairs: ReadonlySet<string>;
  readonly probes: boolean;
  readonly isolateEgress: boolean;
}

interface IngressRule {
  readonly from: readonly object[];
  readonly ports: readonly { readonly port?: number }[];
}

const PROBES_RULE = { from: [{ ipBlock: { cidr: AMBIENT_PROBES } }] };

function pairsOf(from: readonly object[], ports: readonly number[]): readonly string[] {
  return from.flatMap((peer) => ports.map((port) => `${port} ${canonical(peer)}`));
}

/** One rule for each set of ports, with all peers that have it. */
function specOf(serviceAccountName: string, { pairs, probes, isolateEgress }: Content): MeshObject['spec'] {
  const portsByPeer = new Map<string, number[]>();
  for (const pair of [...pairs].sort()) {
    const space = pair.indexOf(' ');
    const ports = portsByPeer.get(pair.slice(space + 1));
    const port = Number(pair.slice(0, space));
    if (ports === undefined) portsByPeer.set(pair.slice(space + 1), [port]);
    else ports.push(port);
  }
  const peersByPorts = new Map<string, string[]>();
  for (const [peer, ports] of portsByPeer) {
    const key = ports.sort((a, b) => a - b).join(' ');
    const peers = peersByPorts.get(key);
    if (peers === undefined) peersByPorts.set(key, [peer]);
    else peers.push(peer);
  }
  const rules = [...peersByPorts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([ports, peers]) => ({
      from: peers.sort().map((peer) => JSON.parse(peer) as object),
      ports: ports.split(' ').map((port) => ({ protocol: 'TCP', port: Number(port) })),
    }));
  const ingress = probes ? [...rules, PROBES_RULE] : rules;
  return {
    podSelector: { matchLabels: { [LABEL_IDENTITY]: serviceAccountName } },
    policyTypes: isolateEgress ? ['Ingress', 'Egress'] : ['Ingress'],
    ...(ingress.length === 0 ? {} : { ingress }),
  };
}

function readSpec(serviceAccountName: string, spec: MeshObject['spec']): Content | undefined {
  const { ingress = [], policyTypes } = spec;
  if (!Array.isArray(ingress) || !Array.isArray(policyTypes)) return undefined;
  const probes = canonical(PROBES_RULE);
  const rules = ingress.filter((rule) => canonical(rule) !== probes);
  if (!rules.every(isIngressRule)) return undefined;
  const pairs = rules.flatMap(({ from, ports }) =>
    pairsOf(
      from,
      ports.map(({ port }) => port ?? 0),
    ),
  );
  const content = {
    pairs: new Set(pairs),
    probes: rules.length < ingress.length,
    isolateEgress: policyTypes.includes('Egress'),
  };
  // Whatever is read wrongly is not written the same again.
  const isOurs = canonical(specOf(serviceAccountName, content)) === canonical(spec);
  return isOurs ? content : undefined;
}

function isIngressRule(rule: unknown): rule is IngressRule {
  const { from, ports } = (rule ?? {}) as { readonly from?: unknown; readonly ports?: unknown };
  return Array.isArray(from) && Array.isArray(ports) && ports.every((port) => port !== null);
}
