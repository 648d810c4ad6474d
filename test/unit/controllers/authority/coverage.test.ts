/** What is seen of namespaces and Secrets, in caches that a loopback server has filled. */

import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { AuthorityBook } from '../../../../src/controllers/authority/authority-book.ts';
import { readyAuthority } from '../../../../src/controllers/authority/authority-record.ts';
import { type Coverage, seeCoverage } from '../../../../src/controllers/authority/coverage.ts';
import { ClusterView } from '../../../../src/controllers/cluster-view.ts';
import { KnownContents } from '../../../../src/controllers/identity/known-contents.ts';
import type { Secret } from '../../../../src/controllers/identity/secret.ts';
import { framedSecret } from '../../../../src/controllers/identity/secret-object.ts';
import { secretFrame } from '../../../../src/controllers/identity/wish.ts';
import { LeafBook } from '../../../../src/controllers/ledger/leaf-book.ts';
import type { RejectedLeaf } from '../../../../src/domain/certificate/plan.ts';
import type { LedgerLine } from '../../../../src/domain/ledger/ledger-line.ts';
import type { Cache } from '../../../../src/kube/cache.ts';
import { KubeClient } from '../../../../src/kube/client.ts';
import { json } from '../../../support/loopback-server.ts';
import { startLoopback } from '../../../support/loopback-transport.ts';
import { issuedLeaf, secretData, storedAuthority, T0, validity } from '../../crypto/fixture.ts';

const HOUR = 3_600_000;
const AGENTS = 'ai-agents';
const [FIRST, NEXT, DROPPED] = [storedAuthority(), storedAuthority(), storedAuthority()];
const LEAF = await issuedLeaf(FIRST);
const OLD_LEAF = await issuedLeaf(DROPPED);
const OLD = readyAuthority([FIRST]);
const NEW = readyAuthority([FIRST, NEXT]);
const UNCOVERED = new Map([[AGENTS, 'ca.crt of 1 Secret does not carry it']]);

interface Given {
  readonly spec?: AgentIdentity['spec'];
  /** Before now. */
  readonly madeMs?: number;
  readonly isDeleting?: boolean;
  /** Of the Secret; undefined is that of the agent. */
  readonly secretName?: string;
  readonly texts?: Readonly<Record<string, string>>;
  readonly leaf?: typeof LEAF;
  readonly nowMs?: number;
  readonly rejected?: RejectedLeaf;
  readonly lines?: readonly LedgerLine[];
  readonly completeSinceMs?: number;
  /** The server does not let the operator list Secrets. */
  readonly isHidden?: boolean;
  /** Of the namespace; undefined is one with both generations, null is none. */
  readonly bundlePem?: string | null;
}

/** What is seen of one agent, whose bundle carries both generations and whose Secret only the first. */
async function see(given: Given = {}): Promise<Coverage> {
  const { spec = {}, madeMs = 2 * HOUR, isDeleting = false, secretName = 'agent-deployer-tls' } = given;
  const { leaf = LEAF, nowMs = T0 + HOUR, texts = {}, lines = [], completeSinceMs = 0 } = given;
  const { bundlePem = NEW?.bundlePem ?? '' } = given;
  const ids = { uid: 'uid-1', resourceVersion: '7', generation: 1 };
  const creationTimestamp = new Date(nowMs - madeMs).toISOString();
  const deletion = isDeleting ? { deletionTimestamp: creationTimestamp } : {};
  const identity: AgentIdentity = {
    metadata: { name: 'agent-deployer', namespace: AGENTS, creationTimestamp, ...ids, ...deletion },
    spec,
  };
  const data = Object.entries(secretData(leaf, OLD?.bundlePem ?? ''));
  const secret: Secret = framedSecret(secretFrame(identity, secretName), 'kubernetes.io/tls', {
    ...Object.fromEntries(data.map(([key, bytes]) => [key, bytes.toString()])),
    ...texts,
  });
  const labels = { 'agenttrust.dev/managed': 'true' };
  const bundle = { name: 'agent-trust-bundle', namespace: AGENTS, labels, ...ids };
  const lists: Readonly<Record<string, readonly object[]>> = {
    agentidentities: [identity],
    secrets: [{ ...secret, metadata: { ...secret.metadata, uid: 's', resourceVersion: '7' } }],
    configmaps: bundlePem === null ? [] : [{ metadata: bundle, data: { 'ca.crt': bundlePem } }],
  };
  const loopback = await startLoopback(
    (response, request) => {
      const items = lists[request.path.split('/').at(-1) ?? ''] ?? [];
      if (request.query['watch'] === '1')
        response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      else if (given.isHidden === true && request.path.endsWith('/secrets'))
        json(403, { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' })(response, request);
      else json(200, { metadata: { resourceVersion: '9' }, items })(response, request);
    },
    { tls: false },
  );
  const stop = new AbortController();
  const view = new ClusterView({
    cache: { client: new KubeClient({ transport: loopback.transport, fieldManager: 'test' }) },
    ...{ namespaces: [AGENTS], operatorNamespace: 'agent-trust-system' },
    judge: { trusted: () => [FIRST, NEXT], known: new KnownContents() },
  });
  const caches = [view.identities, ...view.caches()];
  const running = Promise.all(caches.map((each) => each.start(stop.signal)));
  await Promise.all(caches.map(settled));
  stop.abort();
  await running;
  await loopback.close();
  const book = new AuthorityBook(() => false);
  for (const state of [OLD, NEW]) if (state !== undefined) book.noted(state);
  const leaves = new LeafBook();
  leaves.replace(lines, completeSinceMs);
  const trusted = (): readonly (typeof FIRST)[] => [FIRST, NEXT];
  const ports = { view, leaves, book, trusted, rejected: () => given.rejected };
  return seeCoverage(ports, { nowMs, settleMs: 600_000 });
}

const YOUNG: Given = { madeMs: 599_999 };
const CARRYING: Given = { texts: { 'ca.crt': NEW?.bundlePem ?? '' } };
const INVALID = { certificate: { duration: '1m' } };

describe('seeCoverage', () => {
  const MUST: Readonly<Record<string, Given>> = {
    'an agent that is served': {},
    'the Secret of an agent, however young it is': { madeMs: 0 },
    'an agent that is refused': { spec: INVALID },
    'a Secret under the name that the spec had before': { spec: { certificate: { secretName: 'other' } } },
    'a leaf that only the ledger knows': {
      leaf: OLD_LEAF,
      lines: [lineOf(OLD_LEAF.serialHex, FIRST.id)],
    },
    'a leaf that the ledger does not know any more': {
      rejected: { serialHex: LEAF.serialHex, because: 'unknown' },
    },
    'a leaf of an issuer that nobody knows at the moment': {
      leaf: OLD_LEAF,
      lines: [lineOf(OLD_LEAF.serialHex, 'cccccccccccccccc')],
      spec: { certificate: { issuerRef: { name: 'agents-ca' } } },
    },
  };
  for (const [what, given] of Object.entries(MUST)) {
    it(`waits for ${what}`, async () => {
      const { lacking } = await see(given);
      expect([lacking(NEXT.id), lacking(FIRST.id)]).to.deep.equal([UNCOVERED, new Map()]);
    });
  }

  const NEED_NOT: Readonly<Record<string, Given>> = {
    'an agent that is refused and whose leaf is over': { spec: INVALID, nowMs: validity.notAfterMs + 1 },
    'an agent that is refused and has no leaf': { spec: INVALID, texts: { 'tls.crt': 'garbage' } },
    'an agent that is suspended': { spec: { suspended: true } },
    'an agent that is being deleted': { isDeleting: true },
    'a leaf that is revoked': { rejected: { serialHex: LEAF.serialHex, because: 'revoked' } },
    'a leaf of a generation that is trusted no more': {
      leaf: OLD_LEAF,
      lines: [lineOf(OLD_LEAF.serialHex, DROPPED.id)],
    },
    'a leaf that nobody of us has signed': { leaf: OLD_LEAF },
    'the Secret of a young agent that is not written yet': { ...YOUNG, texts: { 'tls.crt': '' } },
    'the bundle of young agents that is not written yet': { ...YOUNG, ...CARRYING, bundlePem: null },
    'a namespace of young agents that is not listed': { ...YOUNG, isHidden: true },
  };
  for (const [what, given] of Object.entries(NEED_NOT)) {
    it(`does not wait for ${what}`, async () => {
      const { lacking } = await see(given);
      expect(lacking(NEXT.id)).to.deep.equal(new Map());
    });
  }

  for (const bundlePem of [OLD?.bundlePem ?? '', 'text of somebody else'])
    it(`waits for a bundle that is there, however young the agents are: ${bundlePem.slice(0, 12)}`, async () => {
      const { lacking } = await see({ ...YOUNG, ...CARRYING, bundlePem });
      expect(lacking(NEXT.id)).to.deep.equal(
        new Map([[AGENTS, 'ConfigMap agent-trust-bundle does not carry it']]),
      );
    });

  it('waits for the bundle of an old agent', async () => {
    const { lacking } = await see({ ...CARRYING, bundlePem: null });
    expect([...lacking(NEXT.id).keys()]).to.deep.equal([AGENTS]);
  });

  it('counts the leaf of an agent of any age, and none that is over', async () => {
    const held = new Map([[FIRST.id, 1]]);
    expect((await see()).heldLeaves).to.deep.equal(held);
    expect((await see({ madeMs: 0 })).heldLeaves).to.deep.equal(held);
    expect((await see({ nowMs: validity.notAfterMs + 1 })).heldLeaves).to.deep.equal(new Map());
  });

  it('says where it cannot look at Secrets', async () => {
    const { areLeavesSeen, heldLeaves, lacking } = await see({ isHidden: true });
    expect([areLeavesSeen, heldLeaves.size, lacking(FIRST.id)]).to.deep.equal([
      false,
      0,
      new Map([[AGENTS, 'the operator may not look: its RoleBinding is missing']]),
    ]);
    expect((await see({ isHidden: true, madeMs: 0 })).areLeavesSeen).to.equal(false);
    expect((await see()).areLeavesSeen).to.equal(true);
  });

  it('lets no leaf be over that the ledger may have lost', async () => {
    const span = { id: FIRST.id, phase: 'retiring', retiringSinceMs: T0, notBeforeMs: T0 - 120_000 } as const;
    const ends = async (completeSinceMs: number): Promise<number | undefined> =>
      (await see({ completeSinceMs })).lastLeafEndsAtMs({ ...span, notAfterMs: T0 + 720 * HOUR });
    expect([await ends(0), await ends(T0 + HOUR)]).to.deep.equal([undefined, T0 + 168 * HOUR]);
  });
});

/** Once the server has answered, whatever it said. */
async function settled(cache: Pick<Cache<unknown>, 'onStateChange' | 'state'>): Promise<void> {
  if (cache.state !== 'starting') return;
  const { promise, resolve } = Promise.withResolvers<void>();
  cache.onStateChange(() => resolve());
  await promise;
}

function lineOf(serialHex: string, generation: string): LedgerLine {
  return {
    ...{ identityUid: 'uid-1', namespace: AGENTS, serviceAccountName: 'agent-deployer' },
    ...{ serialHex, generation, notAfterMs: validity.notAfterMs },
  };
}
