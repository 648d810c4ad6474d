/** Looks at a cluster from outside the operator, all the time, and says what is not as it should be. */

import { createHash } from 'node:crypto';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import {
  AGENT_IDENTITY,
  ANNOTATION_OWNER_UID,
  AUTHORITY_SECRET_NAME,
  BUNDLE_NAME,
  LABEL_LEDGER,
} from '../../src/api/group.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { parseLedgerLine } from '../../src/domain/ledger/ledger-line.ts';
import { Cache } from '../../src/kube/cache.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { CONFIG_MAP, SECRET, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import { type Key, type KubeObject, keyOf } from '../../src/kube/object.ts';
import { audit, type ClusterFacts, type SecretHistory } from './audit.ts';
import { leafOf, secretNameOf, serialOf } from './audit-identity.ts';
import type { JournalEntry } from './fault-proxy.ts';

/** What an auditor looks at, and with what. */
export interface AuditorOptions {
  /** Not through the proxy. */
  readonly client: KubeClient;
  /** The governed ones. */
  readonly namespaces: readonly string[];
  readonly operatorNamespace: string;
  readonly trustDomain?: string;
  /** Of the proxy between the operator and the API server: tells which answers were lost. */
  readonly journal?: () => readonly JournalEntry[];
}

interface SecretState {
  readonly resourceVersion: string | undefined;
  readonly serial: string | undefined;
  readonly ownerUid: string;
  /** Of its data; undefined while it holds no leaf. */
  readonly content: string | undefined;
}

interface Past {
  content: string | undefined;
  changes: number;
  isGone: boolean;
  readonly serials: Set<string>;
  readonly returned: string[];
}

/** Soon back after an outage, since what it does not see it cannot count. */
const TIMING = { backoffMs: [50, 500], shortWatchMs: 0 } as const;

/** Watches Secrets and AgentIdentities from `start` to `stop`. */
export class Auditor {
  readonly #options: AuditorOptions;
  readonly #abort = new AbortController();
  readonly #secrets: readonly Cache<SecretState>[];
  readonly #identities: Cache<AgentIdentity, AgentIdentity>;
  readonly #past = new Map<Key, Past>();
  /** UIDs by serial number. */
  readonly #leaves = new Map<string, string>();
  /** Highest generation of each identity, by UID and by each Secret it asked for. */
  readonly #generations = new Map<Key, Map<string, number>>();
  readonly #told = new Map<Key, number>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: AuditorOptions) {
    this.#options = options;
    const { client, namespaces } = options;
    this.#secrets = namespaces.map(
      (namespace) =>
        new Cache<SecretState>({ client, type: SECRET, namespace, project: secretState, timing: TIMING }),
    );
    this.#identities = new Cache<AgentIdentity, AgentIdentity>({
      client,
      type: AGENT_IDENTITY,
      project: (identity) => identity,
      timing: TIMING,
    });
    this.#identities.onChange((_key, identity) => this.#takeIdentity(identity));
    for (const cache of this.#secrets) cache.onChange((key, state) => this.#takeSecret(key, state));
  }

  /** Resolves when everything that is there has been seen. */
  async start(): Promise<void> {
    const caches = [this.#identities, ...this.#secrets];
    this.#running = Promise.all(caches.map((cache) => cache.start(this.#abort.signal)));
    await Promise.all(caches.map((cache) => cache.synced()));
  }

  /** Ends the watches. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /** Says that the content of a Secret has one more reason to change: somebody deleted or damaged it. */
  reason(secret: Key): void {
    this.#told.set(secret, (this.#told.get(secret) ?? 0) + 1);
  }

  /** Everything that is wrong now, or was since the start; empty when nothing is. */
  async violations(): Promise<readonly string[]> {
    const facts = await this.#facts();
    const unseen = facts.secrets.filter((secret) => !this.#hasSeen(secret));
    if (unseen.length > 0) return unseen.map(({ metadata }) => `the watch is behind: ${keyOf(metadata)}`);
    return audit(facts, {
      leaves: this.#leaves,
      lost: lostAnswers(this.#options.journal?.() ?? []),
      secrets: [...this.#past].map(([secret, past]) => this.#historyOf(secret, past)),
    });
  }

  #hasSeen({ metadata }: Secret): boolean {
    const key = keyOf(metadata);
    return this.#secrets.some((cache) => cache.get(key)?.resourceVersion === metadata.resourceVersion);
  }

  #takeIdentity(identity: AgentIdentity | undefined): void {
    if (identity === undefined) return;
    const { namespace, uid, generation } = identity.metadata;
    const secret = keyOf({ namespace, name: secretNameOf(identity) });
    const generations = this.#generations.get(secret) ?? new Map<string, number>();
    this.#generations.set(secret, generations.set(uid, Math.max(generation, generations.get(uid) ?? 0)));
  }

  #takeSecret(key: Key, state: SecretState | undefined): void {
    const past = this.#past.get(key) ?? {
      content: undefined,
      changes: 0,
      isGone: false,
      serials: new Set<string>(),
      returned: [],
    };
    this.#past.set(key, past);
    if (state === undefined) past.isGone = true;
    if (state?.serial === undefined) return;
    if (past.isGone && past.serials.has(state.serial)) past.returned.push(state.serial);
    past.isGone = false;
    past.serials.add(state.serial);
    this.#leaves.set(state.serial, state.ownerUid);
    if (state.content !== past.content) past.changes += 1;
    past.content = state.content;
  }

  #historyOf(secret: Key, { changes, returned }: Past): SecretHistory {
    const generations = [...(this.#generations.get(secret)?.values() ?? [])];
    const told = this.#told.get(secret) ?? 0;
    return { secret, changes, returned, reasons: generations.reduce((sum, each) => sum + each, told) };
  }

  async #facts(): Promise<ClusterFacts> {
    const { client, namespaces, operatorNamespace, trustDomain = 'cluster.local' } = this.#options;
    const all = async <T extends KubeObject>(list: (namespace: string) => Promise<{ items: readonly T[] }>) =>
      (await Promise.all(namespaces.map(list))).flatMap(({ items }) => items);
    const bundleSelector = `metadata.name=${BUNDLE_NAME}`;
    const [identities, accounts, secrets, bundles, authority, ledgers] = await Promise.all([
      all((namespace) => client.list<AgentIdentity & KubeObject>(AGENT_IDENTITY, { namespace })),
      all((namespace) => client.list(SERVICE_ACCOUNT, { namespace, metadataOnly: true })),
      all((namespace) => client.list<Secret>(SECRET, { namespace })),
      all((namespace) => client.list<ConfigMap>(CONFIG_MAP, { namespace, fieldSelector: bundleSelector })),
      client.find<Secret>(SECRET, { namespace: operatorNamespace, name: AUTHORITY_SECRET_NAME }),
      client.list<ConfigMap>(CONFIG_MAP, { namespace: operatorNamespace, labelSelector: LABEL_LEDGER }),
    ]);
    return {
      namespaces,
      trustDomain,
      nowMs: Date.now(),
      identities,
      serviceAccounts: new Set(accounts.map(({ metadata }) => keyOf(metadata))),
      secrets,
      bundles,
      authority,
      ledgers: ledgers.items,
    };
  }
}

function secretState(secret: Secret): SecretState {
  const leaf = leafOf(secret);
  return {
    resourceVersion: secret.metadata.resourceVersion,
    serial: leaf === undefined ? undefined : serialOf(leaf),
    ownerUid: secret.metadata.annotations?.[ANNOTATION_OWNER_UID] ?? '',
    content: leaf === undefined ? undefined : contentOf(secret.data ?? {}),
  };
}

/** All data as one text of fixed length, the same whatever the order of the keys. */
function contentOf(data: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(data).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** Number of writes of which the writer cannot know whether they were carried out, by UID of the identity. */
function lostAnswers(journal: readonly JournalEntry[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const written = new Set<string>();
  for (const { request, outcome, status } of journal) {
    if (request.method === 'GET' || request.method === 'DELETE') continue;
    const uids = request.resource === 'secrets' ? ownersIn(request.body) : newUidsIn(request.body, written);
    const isLost = outcome === 'lost' || (outcome === 'withheld' && status === undefined);
    if (isLost) for (const uid of uids) counts.set(uid, (counts.get(uid) ?? 0) + 1);
  }
  return counts;
}

function ownersIn(body: unknown): readonly string[] {
  const { metadata } = body as Secret;
  return [metadata.annotations?.[ANNOTATION_OWNER_UID] ?? ''];
}

/** UIDs in the lines of a ledger that no earlier write held. */
function newUidsIn(body: unknown, written: Set<string>): readonly string[] {
  const lines = ((body as ConfigMap | undefined)?.data?.['ledger'] ?? '').split('\n').map(parseLedgerLine);
  return lines.flatMap((line) => {
    if (line === undefined || written.has(line.serialHex)) return [];
    written.add(line.serialHex);
    return [line.identityUid];
  });
}
