/** Keeps the folders of all agents true: certificate, signing keys and bundle of each, all changed at one instant. */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readyAuthority } from '../controllers/authority/authority-record.ts';
import type { ReadyAuthority } from '../controllers/authority/authority-state.ts';
import { RevocationLists } from '../controllers/crl/revocation-lists.ts';
import type { Authority } from '../crypto/authority-reader.ts';
import { readSigningKeyFiles } from '../crypto/jose/signing-key-files.ts';
import { combinedPem } from '../crypto/pem.ts';
import type { FileTexts } from '../domain/bundle/files.ts';
import { SECRET_KEYS } from '../domain/certificate/facts.ts';
import { buildSpiffeId } from '../domain/certificate/spiffe-id.ts';
import type { AgentId } from '../domain/delegation/facts.ts';
import { resolveAgentIdentity } from '../domain/identity/resolve.ts';
import { unservedFields } from '../domain/identity/unserved.ts';
import type { LedgerLine } from '../domain/ledger/ledger-line.ts';
import { MOUNTED_SIGNING_DATA, SIGNING_DATA } from '../domain/signing/facts.ts';
import { publishedForm } from '../domain/signing/keys.ts';
import type { PublishedKey } from '../domain/token/state/jwks-file.ts';
import { splitKey } from '../kube/object.ts';
import type { Applied } from './apply.ts';
import { type Address, Bundles } from './bundles.ts';
import { type AgentFile, type AgentFileSet, mountFiles } from './folder.ts';
import {
  devProfile,
  type IssueSettings,
  keepGenerations,
  keepLeaf,
  keepSigningKeys,
  type ServedAgent,
  signingFirst,
} from './issue.ts';
import { LaptopLeaves } from './leaves.ts';
import { type DevState, type StateFolder, type StoredAgent, type StoredLeaf, writing } from './state.ts';

/** How folders are kept. */
export interface KeeperOptions extends IssueSettings {
  readonly folder: string;
  readonly state: StateFolder;
  readonly addresses: ReadonlyMap<AgentId, Address>;
  readonly bundleLifeSeconds: number;
}

/** An agent as it is now. */
export interface KeptAgent {
  readonly id: AgentId;
  readonly spiffeId: string;
  readonly directory: string;
  /** Why it gets no keys; undefined when it does. */
  readonly withheld: string | undefined;
}

/** What was done. */
export interface KeptSwarm {
  readonly agents: readonly KeptAgent[];
  /** Those whose files differ from before. */
  readonly changed: readonly AgentId[];
  /** When something has to be renewed, milliseconds since the Unix epoch. */
  readonly recheckAtMs: number;
}

interface Moment {
  readonly authority: ReadyAuthority;
  readonly nowMs: number;
}

type Served = KeptAgent & { readonly served: ServedAgent };

interface Issued extends Moment {
  readonly agents: Readonly<Record<AgentId, StoredAgent>>;
}

/** One for the process. */
export class Keeper {
  readonly #options: KeeperOptions;
  readonly #bundles: Bundles;
  readonly #leaves: LaptopLeaves;
  readonly #lists: RevocationLists;
  #state: DevState;
  #generations: readonly Authority[] = [];
  #nowMs = 0;

  /** @throws DevFailure when the state cannot be read. */
  constructor(options: KeeperOptions) {
    const { trustDomain, clusterDomain, bundleLifeSeconds, state } = options;
    this.#options = options;
    this.#state = state.read(trustDomain);
    const { sequences } = this.#state;
    this.#bundles = new Bundles({ trustDomain, clusterDomain, lifeSeconds: bundleLifeSeconds, sequences });
    this.#leaves = new LaptopLeaves(this.#state.leaves ?? { leaves: [], revoked: [] });
    this.#lists = new RevocationLists({
      revoked: this.#leaves,
      generations: () => this.#generations,
      nowMs: () => this.#nowMs,
    });
  }

  /** What objects of earlier runs were. */
  get births(): DevState['births'] {
    return this.#state.births;
  }

  /**
   * Renews what is due and writes what differs.
   *
   * @throws DevFailure when it cannot be written.
   */
  async keep(applied: Applied, nowMs: number): Promise<KeptSwarm> {
    const { trustDomain } = this.#options;
    const generations = keepGenerations(this.#state.generations, trustDomain, nowMs);
    this.#nowMs = nowMs;
    this.#generations = signingFirst(generations, nowMs);
    const authority = readyAuthority(this.#generations);
    if (authority === undefined) throw new RangeError('there is no authority');
    const kept = this.#agentsOf(applied);
    const { agents, recheckAtMs } = await this.#issue(kept, { authority, nowMs });
    this.#leaves.update(linesOf(kept, agents), applied.cluster.view, nowMs);
    const bundles = this.#bundlesOf(applied, { agents, authority, nowMs });
    const gone = agentsOf(this.#state.births).difference(agentsOf(applied.births));
    this.#state = {
      ...this.#state,
      generations,
      births: applied.births,
      agents,
      sequences: this.#bundles.sequences,
      revocations: [...applied.cluster.revocations.entries()],
      leaves: this.#leaves.stored,
    };
    // First what must not be lost, then what is made of it.
    this.#options.state.write(this.#state);
    const changed = kept.filter((agent) =>
      this.#mount(agent, filesOf(agents[agent.id], authority, bundles.get(agent.served.namespace) ?? {})),
    );
    for (const id of gone) rmSync(this.#directoryOf(id), { recursive: true, force: true });
    return {
      agents: kept,
      changed: changed.map(({ id }) => id),
      recheckAtMs: Math.min(recheckAtMs, this.#bundles.recheckAtMs),
    };
  }

  #agentsOf({ cluster: { view, book } }: Applied): readonly Served[] {
    const { trustDomain, addresses } = this.#options;
    return [...view.identities.values()]
      .map(({ metadata: { namespace, name, uid }, spec }) => {
        const id: AgentId = `${namespace}/${name}`;
        const resolved = resolveAgentIdentity(name, spec);
        const { serviceAccountName } = resolved;
        const address = addresses.get(id);
        return {
          id,
          spiffeId: buildSpiffeId({ trustDomain, namespace, serviceAccountName }) ?? '',
          directory: this.#directoryOf(id),
          withheld:
            view.scopeOf(namespace) === 'governed'
              ? withheldOf(spec, book.graph.agent(id)?.isServed === true)
              : `not served: namespace ${namespace} holds no agents`,
          served: { namespace, name, uid, resolved, hosts: address === undefined ? [] : [address.host] },
        };
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async #issue(
    kept: readonly Served[],
    { authority, nowMs }: Moment,
  ): Promise<{ readonly agents: Record<AgentId, StoredAgent>; readonly recheckAtMs: number }> {
    const agents: Record<AgentId, StoredAgent> = {};
    let recheckAtMs = Number.POSITIVE_INFINITY;
    for (const { id, served, withheld } of kept) {
      if (withheld !== undefined) continue;
      const stored = this.#state.agents[id];
      const profile = devProfile(served, this.#options);
      const leaf = await keepLeaf(served, stored?.leaf, { authority, profile, nowMs });
      const signing = keepSigningKeys(served, stored?.signing, nowMs);
      agents[id] = { leaf: leaf.value, signing: signing.value };
      recheckAtMs = Math.min(recheckAtMs, leaf.recheckAtMs, signing.recheckAtMs);
    }
    return { agents, recheckAtMs };
  }

  #bundlesOf({ cluster }: Applied, { agents, authority, nowMs }: Issued): ReadonlyMap<string, FileTexts> {
    cluster.revocations.adopt(this.#state.revocations);
    const keys = new Map(Object.entries(agents).map(([id, agent]) => [id as AgentId, published(agent)]));
    const crlPem = this.#lists.pem(authority);
    const input = { cluster, keys, addresses: this.#options.addresses, authority, crlPem, nowMs };
    const ids = [...cluster.view.identities.keys()];
    const namespaces = new Set(ids.map((id) => splitKey(id).namespace ?? ''));
    this.#bundles.keepOnly(namespaces);
    return new Map([...namespaces].map((each) => [each, this.#bundles.filesOf(each, input)]));
  }

  /** Whether it changed. */
  #mount({ directory }: KeptAgent, files: AgentFileSet): boolean {
    return writing(this.#options.folder, () => mountFiles(directory, files));
  }

  #directoryOf(id: AgentId): string {
    return join(this.#options.folder, id);
  }
}

function linesOf(
  kept: readonly Served[],
  agents: Readonly<Record<AgentId, StoredAgent>>,
): readonly LedgerLine[] {
  return kept.flatMap(({ id, served }) => {
    const agent = agents[id];
    return agent === undefined ? [] : [lineOf(served, agent.leaf)];
  });
}

/** The line of a leaf in a ledger. */
function lineOf(
  { uid, namespace, resolved: { serviceAccountName } }: ServedAgent,
  { serialHex, notAfterMs, authorityId }: StoredLeaf,
): LedgerLine {
  return { identityUid: uid, namespace, serviceAccountName, serialHex, notAfterMs, generation: authorityId };
}

/** Who is cut off keeps the bundle, as a pod would. */
function filesOf(
  stored: StoredAgent | undefined,
  { bundlePem }: ReadyAuthority,
  bundle: FileTexts,
): AgentFileSet {
  const files = new Map<string, AgentFile>();
  const add = (folder: string, texts: FileTexts, isPrivate: boolean): void => {
    for (const [name, text] of Object.entries(texts)) files.set(`${folder}/${name}`, { text, isPrivate });
  };
  add('bundle', bundle, false);
  if (stored === undefined) return files;
  const { certificatePem, privateKeyPem } = stored.leaf;
  const combined = combinedPem(certificatePem, privateKeyPem);
  add('tls', { [SECRET_KEYS.certificate]: certificatePem, [SECRET_KEYS.trustBundle]: bundlePem }, false);
  add('tls', { [SECRET_KEYS.privateKey]: privateKeyPem, [SECRET_KEYS.combined]: combined }, true);
  const signing = Object.entries(stored.signing).filter(([name]) => MOUNTED_SIGNING_DATA.includes(name));
  add('signing', Object.fromEntries(signing), true);
  return files;
}

/** Of all identities that there are or were. */
function agentsOf(births: DevState['births']): ReadonlySet<AgentId> {
  const ids = Object.keys(births).map((key) => /^AgentIdentity\/(.+)@/.exec(key)?.[1]);
  return new Set(ids.filter((id) => id !== undefined) as AgentId[]);
}

function withheldOf(spec: object, isServed: boolean): string | undefined {
  const unserved = unservedFields({ ...spec });
  if (unserved.length > 0) return `not served: this version does not act on ${unserved.join(', ')}`;
  if ('suspended' in spec && spec.suspended === true) return 'suspended: its keys are withdrawn';
  return isServed ? undefined : 'not served: its spec is not valid';
}

/** What jwks.json says of an agent. */
function published({ signing }: StoredAgent): readonly PublishedKey[] {
  const octets = { [SIGNING_DATA.keys]: Buffer.from(signing[SIGNING_DATA.keys]) };
  const all = { ...octets, [SIGNING_DATA.published]: Buffer.from(signing[SIGNING_DATA.published]) };
  return readSigningKeyFiles(all).keys.map(publishedForm);
}
