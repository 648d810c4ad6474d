/** A leader that takes the authority over, against a loopback server that holds what the one before has left. */

import { expect } from 'chai';
import { AuthorityBook } from '../../../../src/controllers/authority/authority-book.ts';
import type { AuthorityEvent } from '../../../../src/controllers/authority/authority-events.ts';
import { AuthorityKeeper } from '../../../../src/controllers/authority/authority-keeper.ts';
import {
  type AuthorityRecord,
  authorityRecord,
  authoritySecret,
  readyAuthority,
} from '../../../../src/controllers/authority/authority-record.ts';
import { type IntentRecord, intentRecord } from '../../../../src/controllers/authority/intent-record.ts';
import { authorityReconciler } from '../../../../src/controllers/authority/reconcile.ts';
import {
  type StateRecord,
  stateConfigMap,
  stateRecord,
  stateTexts,
} from '../../../../src/controllers/authority/state-object.ts';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import { ClusterView } from '../../../../src/controllers/cluster-view.ts';
import { KnownContents } from '../../../../src/controllers/identity/known-contents.ts';
import type { Secret } from '../../../../src/controllers/identity/secret.ts';
import { LeafBook } from '../../../../src/controllers/ledger/leaf-book.ts';
import type { GenerationState } from '../../../../src/domain/authority/facts.ts';
import { Cache } from '../../../../src/kube/cache.ts';
import { KubeClient } from '../../../../src/kube/client.ts';
import { CONFIG_MAP, SECRET } from '../../../../src/kube/core-types.ts';
import { FencedWriter } from '../../../../src/kube/fenced-writer.ts';
import type { KubeObject } from '../../../../src/kube/object.ts';
import { json } from '../../../support/loopback-server.ts';
import { type Loopback, startLoopback } from '../../../support/loopback-transport.ts';
import { storedAuthority, T0 } from '../../crypto/fixture.ts';

const DAY = 86_400_000;
const OWN = 'agent-trust-system';
const AGENTS = 'ai-agents';
const SETTINGS = { lifeMs: 24 * DAY, acceleration: 1, reissuePerSecond: 20, keySize: 256 as const };
/** The first one signs, and the second one is to take over from it by now. */
const NOW = T0 + 20 * DAY + 3_600_000;
const FIRST = storedAuthority({ lifeMs: 24 * DAY });
const SECOND = storedAuthority({ nowMs: T0 + 12 * DAY, lifeMs: 24 * DAY });
const SIGNING: GenerationState = { id: FIRST.id, phase: 'signing', preparedAtMs: T0, activatedAtMs: T0 };
const PREPARED: GenerationState = {
  id: SECOND.id,
  phase: 'prepared',
  preparedAtMs: T0 + 12 * DAY,
  seenSinceMs: T0 + 12 * DAY,
};

const metadata = (name: string, rest: object = {}): KubeObject['metadata'] => ({
  ...{ name, uid: name, resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' },
  ...rest,
});

describe('authorityReconciler, as a new leader', () => {
  let loopback: Loopback;
  let stop: AbortController;
  let running: Promise<unknown>;
  let told: string[];
  let written: KubeObject[];

  afterEach(async () => {
    stop.abort();
    await running;
    await loopback.close();
  });

  /** The reconcile of a leader that finds these states; the bundle of the namespace carries both generations. */
  async function lead(states: readonly GenerationState[]): Promise<() => Promise<unknown>> {
    [told, written] = [[], []];
    const bundle = readyAuthority([FIRST, SECOND])?.bundlePem ?? '';
    const managed = { namespace: AGENTS, labels: { 'agenttrust.dev/managed': 'true' } };
    const lists: Readonly<Record<string, readonly object[]>> = {
      agentidentities: [{ metadata: metadata('deployer', { namespace: AGENTS }), spec: {} }],
      configmaps: [{ metadata: metadata('agent-trust-bundle', managed), data: { 'ca.crt': bundle } }],
    };
    const secret = authoritySecret(OWN, [FIRST, SECOND]);
    const state = stateConfigMap(OWN, 'leader-0', stateTexts(states));
    const kept = new Map(
      [secret, state].map((object) => [
        object.metadata.name,
        { ...object, metadata: { ...object.metadata, ...metadata(object.metadata.name) } },
      ]),
    );
    loopback = await startLoopback(
      (response, request) => {
        const last = request.path.split('/').at(-1) ?? '';
        if (request.query['watch'] === '1')
          response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        else if (request.method === 'PUT') {
          written.push(request.body as KubeObject);
          json(200, request.body as object)(response, request);
        } else if (kept.has(last)) json(200, kept.get(last) ?? {})(response, request);
        else json(200, { metadata: { resourceVersion: '9' }, items: lists[last] ?? [] })(response, request);
      },
      { tls: false },
    );
    const client = new KubeClient({ transport: loopback.transport, fieldManager: 'test' });
    const view = new ClusterView({
      ...{ cache: { client }, namespaces: [AGENTS], operatorNamespace: OWN },
      judge: { trusted: () => [], known: new KnownContents() },
    });
    stop = new AbortController();
    const caches = [view.identities, ...view.caches()];
    running = Promise.all(caches.map((each) => each.start(stop.signal)));
    await Promise.all(caches.map((each) => each.synced()));
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
      ...{ ...common, writer, trustDomain: 'example.org', settings: SETTINGS, epoch: 'leader-1' },
      secrets: new Cache<AuthorityRecord, Secret>({ client, type: SECRET, project: authorityRecord }),
    });
    const reconcile = authorityReconciler({
      ...{ ...common, keeper, view, given: undefined, isClockTrusted: () => true, monotonicMs: () => 0 },
      ...{ trusted: () => book.generations, rejected: () => undefined },
      intents: new Cache<IntentRecord, ConfigMap>({ client, type: CONFIG_MAP, project: intentRecord }),
      note: () => void book.noted(book.state),
      observer: { saw: () => undefined, acted: () => undefined, stalled: () => undefined },
      tell: (_regarding, { reason }: AuthorityEvent) => void told.push(reason),
    });
    return () => reconcile('any', { signal: stop.signal } as Parameters<typeof reconcile>[1]);
  }

  /** What the server was told last of the generations. */
  const states = (): readonly GenerationState[] | undefined => {
    const last = written.findLast((object) => object.metadata.name === 'agent-trust-authority-state');
    return last && stateRecord(last as ConfigMap).states;
  };

  it('knows what the one before has published: nothing begins again, and nothing is forced', async () => {
    const reconcile = await lead([SIGNING, PREPARED]);
    await reconcile();
    expect(told).to.deep.equal(['AuthorityActivated', 'ReissueStarted', 'ReissueFinished']);
    expect(states()?.map(({ phase }) => phase)).to.deep.equal(['retiring', 'signing']);
  });

  it('notes, excludes and activates nothing before it has put anything into use', async () => {
    const reconcile = await lead([SIGNING]);
    await reconcile();
    const found = { id: SECOND.id, phase: 'prepared', preparedAtMs: NOW } as const;
    expect(states()).to.deep.equal([SIGNING, found]);
    await reconcile();
    expect(states()).to.deep.equal([SIGNING, { ...found, seenSinceMs: NOW }]);
    expect(told).to.deep.equal([]);
  });
});
