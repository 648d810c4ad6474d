/** What the PeerAuthentications of a mesh demand of connections to a pod. */

import { type CalledPod, hasLabels, type PolicyObject, ROOT_NAMESPACE } from './policy-object.ts';

/** `STRICT`: mutual TLS only; `PERMISSIVE`: also plain text; `DISABLE`: plain text, so nobody has a principal. */
export type MutualTlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE';

interface PeerAuthenticationSpec {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly mtls?: { readonly mode?: MutualTlsMode | 'UNSET' };
  readonly portLevelMtls?: Readonly<Record<string, { readonly mode?: MutualTlsMode | 'UNSET' }>>;
}

/**
 * The mode for one port of a pod: of the oldest object for these pods, else of the oldest for the namespace, else of the
 * oldest for the mesh (Istio, ComposePeerAuthentication).
 */
export function mutualTlsMode(
  objects: Iterable<PolicyObject>,
  { namespace, labels }: CalledPod,
  port: number,
): MutualTlsMode {
  const all = [...objects].filter(({ kind }) => kind === 'PeerAuthentication').sort(byAge);
  const oldest = (
    place: string,
    matches: (spec: PeerAuthenticationSpec) => boolean,
  ): PeerAuthenticationSpec =>
    all
      .filter(({ metadata }) => metadata.namespace === place)
      .map(specOf)
      .find(matches) ?? {};
  const ofPods = oldest(
    namespace,
    (spec) =>
      !isForAll(spec) && namespace !== ROOT_NAMESPACE && hasLabels(labels, spec.selector?.matchLabels),
  );
  const modes = [
    ofPods.portLevelMtls?.[port]?.mode,
    ofPods.mtls?.mode,
    oldest(namespace, isForAll).mtls?.mode,
    oldest(ROOT_NAMESPACE, isForAll).mtls?.mode,
  ];
  return modes.find((mode) => mode !== undefined && mode !== 'UNSET') ?? 'PERMISSIVE';
}

function specOf({ spec }: PolicyObject): PeerAuthenticationSpec {
  return spec ?? {};
}

function isForAll({ selector }: PeerAuthenticationSpec): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0;
}

function byAge(a: PolicyObject, b: PolicyObject): number {
  const created = ({ metadata }: PolicyObject): number =>
    metadata.creationTimestamp === undefined
      ? Number.MAX_SAFE_INTEGER
      : Date.parse(metadata.creationTimestamp);
  return created(a) - created(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}
