/** Leaders of an authority one after the other, against a loopback server that holds what the one before has left. */

import { AuthorityBook } from '../../../src/controllers/authority/authority-book.ts';
import type { AuthorityEvent } from '../../../src/controllers/authority/authority-events.ts';
import { AuthorityKeeper } from '../../../src/controllers/authority/authority-keeper.ts';
import {
  type AuthorityRecord,
  authorityRecord,
  authoritySecret,
  readyAuthority,
} from '../../../src/controllers/authority/authority-record.ts';
import {
  type GivenRecord,
  type GivenSource,
  givenRecord,
  judgeGiven,
} from '../../../src/controllers/authority/given-record.ts';
import { type IntentRecord, intentRecord } from '../../../src/controllers/authority/intent-record.ts';
import { authorityReconciler } from '../../../src/controllers/authority/reconcile.ts';
import {
  type StateRecord,
  stateConfigMap,
  stateRecord,
  stateTexts,
} from '../../../src/controllers/authority/state-object.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import { ClusterView } from '../../../src/controllers/cluster-view.ts';
import { KnownContents } from '../../../src/controllers/identity/known-contents.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { LeafBook } from '../../../src/controllers/ledger/leaf-book.ts';
import type { Authority } from '../../../src/crypto/authority-reader.ts';
import type { GenerationState } from '../../../src/domain/authority/facts.ts';
import { MIN_GIVEN_LIFE_MS } from '../../../src/domain/authority/given.ts';
import { Cache } from '../../../src/kube/cache.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { CONFIG_MAP, SECRET } from '../../../src/kube/core-types.ts';
import { FencedWriter } from '../../../src/kube/fenced-writer.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { storedAuthority, T0 } from '../../unit/crypto/fixture.ts';
import { json } from '../loopback-server.ts';
import { type Loopback, startLoopback } from '../loopback-transport.ts';
import { givenCa } from './given-ca.ts';
import { givenSecret } from './given-rows.ts';

const DAY = 86_400_000;
export const OWN = 'agent-trust-system';
const AGENTS = 'ai-agents';
const SETTINGS = { lifeMs: 24 * DAY, acceleration: 1, reissuePerSecond: 20, keySize: 256 as const };
/** The first one signs, and the second one is to take over from it by now. */
export const NOW: number = T0 + 20 * DAY + 3_600_000;
export const FIRST: Authority = storedAuthority({ lifeMs: 24 * DAY });
export const SECOND: Authority = storedAuthority({ nowMs: T0 + 12 * DAY, lifeMs: 24 * DAY });
const LIFE = { notBeforeMs: T0, notAfterMs: T0 + 365 * DAY };
const CORPORATE = givenCa({ name: 'Corporate root', life: LIFE });
/** In the Secret with the authority that is given. */
export const GIVEN: GivenRecord = givenRecord(givenSecret({ crt: CORPORATE.pem, key: CORPORATE.keyPem }));
const GIVEN_SETTINGS = { trustDomain: 'example.org', clusterDomain: 'cluster.local' };

/** What the one before has left. */
export interface Left {
  readonly generations: readonly Authority[];
  readonly states: readonly GenerationState[];
  /** Beside the generations in their Secret. */
  readonly alteration?: Readonly<Record<string, string>>;
}

/** What a leader finds. */
export interface Found {
  /** Undefined: it cannot be read. */
  readonly intent?: Readonly<Record<string, string>> | undefined;
  readonly isGiven?: boolean;
  readonly isClockTrusted?: boolean;
}

/** One of them. */
export interface Leader {
  reconcile(): Promise<unknown>;
  /** An administrator asks for something else. */
  ask(data: Readonly<Record<string, string>>): void;
}

/** All that a test sees of them. */
export interface Leaders {
  /** Reasons of what people were told. */
  readonly told: readonly string[];
  /** By name: what the operator's namespace holds. */
  readonly kept: ReadonlyMap<string, KubeObject>;
  /** What was written there, the latest last. */
  readonly written: readonly KubeObject[];
  /** Names of what the server lets nobody write. */
  readonly refused: Set<string>;
  serve(left: Left): Promise<void>;
  lead(epoch: string, found?: Found): Promise<Leader>;
  /** What the server was told last of the generations. */
  state(): StateRecord;
  /** Ids of the generations whose keys are on the server. */
  onServer(): readonly string[];
}

const metadata = (name: string, rest: object = {}): KubeObject['metadata'] => ({
  ...{ name, uid: name, resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' },
  ...rest,
});

/** Registers the hooks of one suite; each test begins with nothing. */
export function useLeaders(): () => Leaders {
  let loopback: Loopback;
  let stop: AbortController;
  let running: Promise<unknown>[];
  let told: string[];
  let kept: Map<string, KubeObject>;
  let written: KubeObject[];
  let refused: Set<string>;
  let version: number;

  beforeEach(() => {
    [stop, running, told, written] = [new AbortController(), [], [], []];
    [refused, version] = [new Set(), 100];
  });
  afterEach(async () => {
    stop.abort();
    await Promise.all(running);
    await loopback.close();
  });

  /** A server; the bundle of the namespace carries all of them. */
  async function serve({ generations, states, alteration = {} }: Left): Promise<void> {
    const bundle = readyAuthority(generations)?.bundlePem ?? '';
    const managed = { namespace: AGENTS, labels: { 'agenttrust.dev/managed': 'true' } };
    const lists: Readonly<Record<string, readonly object[]>> = {
      agentidentities: [{ metadata: metadata('deployer', { namespace: AGENTS }), spec: {} }],
      configmaps: [{ metadata: metadata('agent-trust-bundle', managed), data: { 'ca.crt': bundle } }],
    };
    const secret = authoritySecret(OWN, generations);
    const state = stateConfigMap(OWN, 'leader-0', stateTexts(states));
    kept = new Map(
      [{ ...secret, data: { ...secret.data, ...alteration } }, state].map((object) => [
        object.metadata.name,
        { ...object, metadata: { ...object.metadata, ...metadata(object.metadata.name) } },
      ]),
    );
    loopback = await startLoopback(
      (response, request) => {
        const last = request.path.split('/').at(-1) ?? '';
        const isOwn = request.path.includes(`/namespaces/${OWN}/`);
        if (request.query['watch'] === '1')
          response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        else if (request.method === 'PUT' && refused.has(last))
          json(403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'frozen' })(response, request);
        else if (request.method === 'PUT') {
          const object = request.body as KubeObject;
          version += 1;
          const answer = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
          written.push(answer);
          kept.set(last, answer);
          json(200, answer)(response, request);
        } else if (kept.has(last)) json(200, kept.get(last) ?? {})(response, request);
        else {
          const items = isOwn ? [] : (lists[last] ?? []);
          json(200, { metadata: { resourceVersion: '9' }, items })(response, request);
        }
      },
      { tls: false },
    );
  }

  function start(caches: readonly Pick<Cache<unknown>, 'start' | 'synced'>[]): Promise<unknown> {
    running.push(...caches.map((each) => each.start(stop.signal)));
    return Promise.all(caches.map((each) => each.synced()));
  }

  async function lead(epoch: string, found: Found = {}): Promise<Leader> {
    const { isGiven = false, isClockTrusted = true, intent } = found;
    const client = new KubeClient({ transport: loopback.transport, fieldManager: 'test' });
    const view = new ClusterView({
      ...{ cache: { client }, namespaces: [AGENTS], operatorNamespace: OWN },
      judge: { trusted: () => [], known: new KnownContents() },
    });
    const intents = new Cache<IntentRecord, ConfigMap>({
      ...{ client, type: CONFIG_MAP, namespace: OWN, project: intentRecord },
    });
    await start([view.identities, ...view.caches(), ...(intent === undefined ? [] : [intents])]);
    const ask = (data: Readonly<Record<string, string>>): void => {
      version += 1;
      const named = { namespace: OWN, uid: 'intent', resourceVersion: String(version) };
      intents.observe({ metadata: metadata('agent-trust-authority', named), data });
    };
    if (intent !== undefined) ask(intent);
    const book = new AuthorityBook(() => false);
    const leaves = new LeafBook();
    leaves.replace([]);
    const stored = new Cache<StateRecord, ConfigMap>({ client, type: CONFIG_MAP, project: stateRecord });
    const common = { client, book, leaves, stored, namespace: OWN, nowMs: () => NOW };
    const writer = new FencedWriter({
      ...{ transport: loopback.transport, fence: { assertHeld: () => undefined } },
      ...{ fieldManager: 'test', ownPrefix: 'agenttrust.dev/' },
    });
    const keeper = new AuthorityKeeper({
      ...{ ...common, writer, trustDomain: 'example.org', settings: SETTINGS, epoch },
      secrets: new Cache<AuthorityRecord, Secret>({ client, type: SECRET, project: authorityRecord }),
    });
    const required = { ...GIVEN_SETTINGS, nowMs: NOW, minLifeMs: MIN_GIVEN_LIFE_MS };
    const given: GivenSource = {
      ...{ secretName: 'corporate-ca', metadata: GIVEN.metadata },
      find: (among) => judgeGiven(GIVEN, required, among),
    };
    // Progress is said at every look.
    let monotonicMs = 0;
    const reconcile = authorityReconciler({
      ...{ ...common, keeper, view, intents, isClockTrusted: () => isClockTrusted },
      given: isGiven ? given : undefined,
      monotonicMs: () => {
        monotonicMs += 10_000;
        return monotonicMs;
      },
      ...{ trusted: () => book.generations, rejected: () => undefined },
      note: () => void book.noted(book.state),
      observer: { saw: () => undefined, acted: () => undefined, stalled: () => undefined },
      tell: (_regarding, { reason }: AuthorityEvent) => void told.push(reason),
    });
    const { signal } = stop;
    return { ask, reconcile: () => reconcile('any', { signal } as Parameters<typeof reconcile>[1]) };
  }

  const state = (): StateRecord => stateRecord(kept.get('agent-trust-authority-state') as ConfigMap);
  const onServer = (): readonly string[] =>
    authorityRecord(kept.get('agent-trust-ca') as Secret).generations.map(({ id }) => id);

  return () => ({ told, kept, written, refused, serve, lead, state, onServer });
}
