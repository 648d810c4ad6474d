/** Which PeerAuthentication decides for a pod. Source: Istio, security/v1 PeerAuthentication; the oldest of a scope wins. */

/** What a PeerAuthentication says. */
export interface PeerFacts {
  readonly namespace: string;
  readonly name: string;
  /** RFC 3339, whole seconds. */
  readonly createdAt: string;
  /** Absent or empty: the whole namespace, or the whole mesh in its root namespace. */
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** `UNSET`: as the wider scope says. */
  readonly mode: PeerMode;
  /** By port; only with a selector. */
  readonly portModes: Readonly<Record<string, PeerMode>>;
}

/** How connections are taken; any other text counts as `UNSET`. */
export type PeerMode = 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT';

/** A pod and where it is called. */
export interface CalledPort {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
  /** Of the mesh. */
  readonly rootNamespace: string;
}

/** How the pod takes connections at the port, and the object that says so; undefined: none does. */
export interface EffectivePeer {
  readonly mode: Exclude<PeerMode, 'UNSET'>;
  readonly by: PeerFacts | undefined;
}

/** Decides it. Istio takes what nobody sets as PERMISSIVE. */
export function effectivePeer(peers: readonly PeerFacts[], called: CalledPort): EffectivePeer {
  const { namespace, labels, port, rootNamespace } = called;
  const isWide = ({ matchLabels = {} }: PeerFacts): boolean => Object.keys(matchLabels).length === 0;
  const workload = oldest(
    peers.filter((peer) => peer.namespace === namespace && !isWide(peer) && selectsPod(peer, labels)),
  );
  const wide = [namespace, rootNamespace].map((scope) =>
    oldest(peers.filter((peer) => peer.namespace === scope && isWide(peer))),
  );
  const said = [
    { mode: workload?.portModes[port] ?? 'UNSET', by: workload },
    ...[workload, ...wide].map((peer) => ({ mode: peer?.mode ?? 'UNSET', by: peer })),
  ];
  for (const { mode, by } of said) if (mode !== 'UNSET') return { mode, by };
  return { mode: 'PERMISSIVE', by: undefined };
}

function selectsPod({ matchLabels = {} }: PeerFacts, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
}

/** Of the same second, the first by name. */
function oldest(peers: readonly PeerFacts[]): PeerFacts | undefined {
  const age = ({ createdAt, name }: PeerFacts): string => `${createdAt} ${name}`;
  return peers.reduce<PeerFacts | undefined>(
    (first, peer) => (first === undefined || age(peer) < age(first) ? peer : first),
    undefined,
  );
}
