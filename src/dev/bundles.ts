/** The bundles of an author's namespaces: as the operator makes them, with the addresses of this machine in them. */

import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { ReadyAuthority } from '../controllers/authority/authority-state.ts';
import { BundleLeaf } from '../controllers/bundle/bundle-leaf.ts';
import { bundleSources } from '../controllers/bundle/sources.ts';
import { signBundle } from '../crypto/jose/bundle-signature.ts';
import { type BundleContents, type BundleSources, bundleContents } from '../domain/bundle/contents.ts';
import { bundleFiles, type FileTexts, SIGNATURE_FILE } from '../domain/bundle/files.ts';
import type { AgentId } from '../domain/delegation/facts.ts';
import type { PublishedKey } from '../domain/token/state/jwks-file.ts';
import { splitKey } from '../kube/object.ts';
import { DevFailure } from './dev-failure.ts';
import type { LaptopCluster } from './laptop-cluster.ts';

/** Where an agent listens on this machine. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What bundles are made of. */
export interface BundleInput {
  readonly cluster: LaptopCluster;
  readonly keys: ReadonlyMap<AgentId, readonly PublishedKey[]>;
  readonly addresses: ReadonlyMap<AgentId, Address>;
  readonly authority: ReadyAuthority;
  /** `ca.crl`. */
  readonly crlPem: string;
  readonly nowMs: number;
}

/** How bundles are made. */
export interface BundleSettings {
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly lifeSeconds: number;
  /** Of the bundles of earlier runs, by namespace. */
  readonly sequences: Readonly<Record<string, number>>;
}

interface Signed {
  readonly files: FileTexts;
  readonly digests: ReadonlyMap<string, string>;
  readonly iat: number;
  readonly signature: string;
}

/** Signs them, and keeps what is signed until something differs or half of its life is over. */
export class Bundles {
  readonly #settings: BundleSettings;
  readonly #leaf: BundleLeaf;
  readonly #signed = new Map<string, Signed>();
  #sequences: Readonly<Record<string, number>>;
  #sources: LaptopSources | undefined;

  constructor(settings: BundleSettings) {
    this.#settings = settings;
    this.#leaf = new BundleLeaf(settings.trustDomain);
    this.#sequences = settings.sequences;
  }

  /** Of the last bundles, by namespace. */
  get sequences(): Readonly<Record<string, number>> {
    return this.#sequences;
  }

  /**
   * The files of a namespace.
   *
   * @throws DevFailure when they are too large for a cluster.
   */
  filesOf(namespace: string, input: BundleInput): FileTexts {
    const { authority, crlPem, nowMs } = input;
    const contents = withAddresses(bundleContents(this.#sourcesOf(input).all, namespace), input);
    const made = bundleFiles(contents, { caPem: authority.bundlePem, crlPem });
    if (made.kind === 'too-large')
      throw new DevFailure('data', `the bundle of namespace ${namespace} is too large (${made.bytes} bytes)`);
    const files: FileTexts = Object.assign({}, ...made.parts);
    const digests = new Map(
      Object.entries(files).map(([name, text]) => [name, hash('sha256', text, 'base64url')]),
    );
    const last = this.#signed.get(namespace);
    const isGood =
      last !== undefined && isDeepStrictEqual(last.digests, digests) && nowMs < this.#renewalMs(last.iat);
    if (isGood) return { ...last.files, [SIGNATURE_FILE]: last.signature };
    const iat = Math.floor(nowMs / 1000);
    const sequence = Math.max((this.#sequences[namespace] ?? 0) + 1, nowMs);
    this.#sequences = { ...this.#sequences, [namespace]: sequence };
    const claims = { sequence, iat, exp: iat + this.#settings.lifeSeconds, aud: namespace, files: digests };
    const signature = signBundle(claims, this.#leaf.signer(authority, nowMs));
    this.#signed.set(namespace, { files, digests, iat, signature });
    return { ...files, [SIGNATURE_FILE]: signature };
  }

  /** Forgets namespaces without agents. */
  keepOnly(namespaces: ReadonlySet<string>): void {
    for (const namespace of this.#signed.keys())
      if (!namespaces.has(namespace)) this.#signed.delete(namespace);
  }

  /** When the first of them is to be signed anew. */
  get recheckAtMs(): number {
    return Math.min(...[...this.#signed.values()].map(({ iat }) => this.#renewalMs(iat)));
  }

  #sourcesOf(input: BundleInput): LaptopSources {
    if (this.#sources?.cluster !== input.cluster) this.#sources = new LaptopSources(input, this.#settings);
    this.#sources.update(input);
    return this.#sources;
  }

  #renewalMs(iat: number): number {
    return (iat + this.#settings.lifeSeconds / 2) * 1000;
  }
}

/** As the caches have it, but for what only a machine without a mesh knows. They last as long as the cluster does. */
class LaptopSources {
  readonly cluster: LaptopCluster;
  readonly all: BundleSources;
  #input: BundleInput;
  readonly #keysChanged = new Set<(namespace: string) => void>();

  constructor(input: BundleInput, settings: Pick<BundleSettings, 'trustDomain' | 'clusterDomain'>) {
    const { view, delegation, book, revocations } = input.cluster;
    this.cluster = input.cluster;
    this.#input = input;
    const keys = {
      keysIn: (namespace: string) => keysIn(this.#input.keys, namespace),
      onChange: (listener: (namespace: string) => void) => void this.#keysChanged.add(listener),
    };
    const pods = { hasSeveral: () => false };
    const sources = bundleSources({ view, delegation, book, revocations, settings, keys, pods });
    this.all = {
      clusterDomain: sources.clusterDomain,
      graph: sources.graph,
      agentsIn: (namespace) => sources.agentsIn(namespace),
      agent: (id) => {
        const agent = sources.agent(id);
        return agent && { ...agent, isMeshed: false };
      },
      keys: (id) => sources.keys(id),
      server: (id) => {
        const server = sources.server(id);
        const address = this.#input.addresses.get(id);
        if (address === undefined) return server;
        return { ...server, port: address.port, hosts: [...server.hosts, address.host] };
      },
      get revocations() {
        return sources.revocations;
      },
      notBefore: (id) => sources.notBefore(id),
    };
  }

  /** Takes over what is new. */
  update(input: BundleInput): void {
    if (input === this.#input) return;
    this.#input = input;
    for (const id of input.keys.keys())
      for (const listener of this.#keysChanged) listener(splitKey(id).namespace ?? '');
  }
}

function* keysIn(
  keys: BundleInput['keys'],
  namespace: string,
): Iterable<{ readonly agent: AgentId; readonly keys: readonly PublishedKey[] }> {
  for (const [agent, published] of keys)
    if (splitKey(agent).namespace === namespace) yield { agent, keys: published };
}

/** So that callers find an agent that no DNS knows. */
function withAddresses(contents: BundleContents, { addresses }: BundleInput): BundleContents {
  const { policy } = contents;
  const agents = [...policy.agents].map(([spiffeId, agent]) => {
    const address = addresses.get(agent.name as AgentId);
    return [
      spiffeId,
      address === undefined ? agent : { ...agent, address: `${address.host}:${address.port}` },
    ] as const;
  });
  return { ...contents, policy: { ...policy, agents: new Map(agents) } };
}
