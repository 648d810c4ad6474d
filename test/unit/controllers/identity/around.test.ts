/** What stands around a leaf, against a loopback server that holds the Secrets. */

import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { readyAuthority } from '../../../../src/controllers/authority/authority-record.ts';
import { type Around, type AroundContext, keepAround } from '../../../../src/controllers/identity/around.ts';
import { Attempts } from '../../../../src/controllers/identity/attempts.ts';
import { IdentityEvents } from '../../../../src/controllers/identity/identity-events.ts';
import { KnownContents } from '../../../../src/controllers/identity/known-contents.ts';
import { KnownRoots } from '../../../../src/controllers/identity/known-roots.ts';
import type { Secret } from '../../../../src/controllers/identity/secret.ts';
import { framedSecret } from '../../../../src/controllers/identity/secret-object.ts';
import { type SecretRecord, secretRecord } from '../../../../src/controllers/identity/secret-record.ts';
import { secretFrame, templateOf } from '../../../../src/controllers/identity/wish.ts';
import type { RejectedLeaf } from '../../../../src/domain/certificate/plan.ts';
import { resolveAgentIdentity } from '../../../../src/domain/identity/resolve.ts';
import { KubeClient } from '../../../../src/kube/client.ts';
import { isKubeError } from '../../../../src/kube/errors.ts';
import { FencedWriter } from '../../../../src/kube/fenced-writer.ts';
import { json } from '../../../support/loopback-server.ts';
import { type Loopback, startLoopback } from '../../../support/loopback-transport.ts';
import { issuedLeaf, secretData, storedAuthority, T0 } from '../../crypto/fixture.ts';

const HOUR = 3_600_000;
const KEY = 'ai-agents/agent-deployer';
const NAME = 'agent-deployer-tls';
const [FIRST, SECOND, FORMER] = [storedAuthority(), storedAuthority(), storedAuthority()];
const ISSUER = storedAuthority();
const LEAF = await issuedLeaf(FIRST);
const READY = readyAuthority([FIRST, SECOND]);
const [OLD, NEW] = [FIRST.certificatePem, READY?.bundlePem ?? ''];

type Texts = Readonly<Record<string, string>>;

function identityWith(spec: AgentIdentity['spec'] = {}): AgentIdentity {
  const metadata = {
    ...{ name: 'agent-deployer', namespace: 'ai-agents', uid: 'uid-1', resourceVersion: '1' },
    ...{ generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
  };
  return { metadata, spec };
}

/** The Secret of the agent as an earlier leader has written it, but for some of its texts. */
function secretWith(
  texts: Texts = {},
  identity: AgentIdentity = identityWith(),
  name: string = NAME,
): Secret {
  const resolved = resolveAgentIdentity('agent-deployer', identity.spec);
  const data = Object.entries(secretData(LEAF, OLD)).map(([key, bytes]) => [key, bytes.toString()] as const);
  const whole = framedSecret(secretFrame(identity, name, templateOf(resolved)), 'kubernetes.io/tls', {
    ...Object.fromEntries(data),
    ...texts,
  });
  return { ...whole, metadata: { ...whole.metadata, uid: name, resourceVersion: '7' } };
}

/** The same without any mark; `owner` is the annotation that it then gets. */
function stripped({ metadata, ...secret }: Secret, owner?: string): Secret {
  const { name, namespace = '', uid = '', resourceVersion = '' } = metadata;
  const annotations = owner === undefined ? {} : { 'agenttrust.dev/owner-uid': owner };
  return { ...secret, metadata: { name, namespace, uid, resourceVersion, annotations } };
}

describe('keepAround', () => {
  let loopback: Loopback;
  let stored: Map<string, Secret>;
  let told: string[];
  let attempts: Attempts;
  let nowMs: number;
  let failure: Around['failure'];
  /** Name of a Secret that may not be written. */
  let forbidden: string | undefined;

  beforeEach(async () => {
    [stored, told, attempts, nowMs] = [new Map(), [], new Attempts(), T0 + HOUR];
    forbidden = undefined;
    loopback = await startLoopback(
      (response, request) => {
        const name = request.path.split('/').at(-1) ?? '';
        if (request.method === 'PUT' && name === forbidden) {
          json(403, { kind: 'Status', reason: 'Forbidden', message: 'no' })(response, request);
          return;
        }
        if (request.method === 'PUT') {
          const secret = request.body as Secret;
          const metadata = {
            ...secret.metadata,
            resourceVersion: `${Number(secret.metadata.resourceVersion) + 1}`,
          };
          stored.set(name, { ...secret, metadata });
        }
        json(200, stored.get(name) ?? {})(response, request);
      },
      { tls: false },
    );
  });
  afterEach(() => loopback.close());

  const judge = { trusted: () => [FIRST, SECOND, ISSUER], known: new KnownContents() };
  const recordOf = (name: string): SecretRecord | undefined => {
    const secret = stored.get(name);
    return secret && secretRecord(secret, judge);
  };

  interface Given {
    readonly secrets: readonly Secret[];
    readonly identity?: AgentIdentity;
    readonly rejected?: RejectedLeaf;
    readonly olderClaimant?: string;
  }

  /** Puts Secrets on the server, the first under the wanted name, and keeps them. */
  function keep({ secrets, ...given }: Given): Promise<number | undefined> {
    for (const secret of secrets) stored.set(secret.metadata.name, secret);
    return again(given);
  }

  async function again({
    identity = identityWith(),
    rejected,
    olderClaimant,
  }: Omit<Given, 'secrets'> = {}): Promise<number | undefined> {
    const transport = { transport: loopback.transport, fieldManager: 'test' };
    const observer = { issued: () => {}, repaired: () => {}, failed: () => {}, wiped: () => {} };
    const resolved = resolveAgentIdentity('agent-deployer', identity.spec);
    const outdated = [...stored.keys()].filter((name) => name !== resolved.secretName).map(recordOf);
    const context: AroundContext = {
      key: KEY,
      signal: new AbortController().signal,
      ports: {
        ...{ judge, attempts, nowMs: () => nowMs, roots: new KnownRoots(), rejected: () => rejected },
        client: new KubeClient(transport),
        writer: new FencedWriter({
          ...{ ...transport, fence: { assertHeld: () => undefined }, ownPrefix: 'agenttrust.dev/' },
        }),
        observe: () => undefined,
        events: new IdentityEvents({ record: ({ note }) => void told.push(note) }, observer),
        settings: { trustDomain: 'example.org', clusterDomain: 'cluster.local' },
      },
      inputs: {
        ...{ identity, resolved, authority: READY ?? { kind: 'unavailable', message: '' } },
        situation: { olderClaimant },
        secret: recordOf(resolved.secretName),
        outdated: outdated.filter((record) => record !== undefined),
      },
    };
    const { recheckAtMs, secret, ...kept } = await keepAround(context);
    failure = kept.failure;
    expect(secret?.metadata.resourceVersion).to.equal(
      stored.get(resolved.secretName)?.metadata.resourceVersion,
    );
    return recheckAtMs;
  }

  const bundleIn = (name: string = NAME): string =>
    Buffer.from(stored.get(name)?.data?.['ca.crt'] ?? '', 'base64').toString();

  /** Alters a Secret, as somebody does who may. */
  function spoil(texts: Texts): void {
    const secret = stored.get(NAME);
    if (secret === undefined) throw new Error('there is no Secret');
    const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    stored.set(NAME, { ...secret, data: { ...secret.data, ...Object.fromEntries(data) } });
  }

  it('rolls a new bundle out around leaf and key, and tells nobody', async () => {
    expect(await keep({ secrets: [secretWith()] })).to.equal(undefined);
    expect(bundleIn()).to.equal(NEW);
    const { 'ca.crt': _, ...rest } = stored.get(NAME)?.data ?? {};
    const { 'ca.crt': __, ...before } = secretWith().data ?? {};
    expect(rest).to.deep.equal(before);
    expect(told).to.deep.equal([]);
  });

  it('tells of a bundle with anything that was never trusted', async () => {
    await keep({ secrets: [secretWith({ 'ca.crt': OLD + FORMER.certificatePem })] });
    expect([bundleIn(), told]).to.deep.equal([NEW, ['Mended the Secret: ca.crt was not the trust bundle']]);
  });

  it('tells of an older bundle that somebody has put back, and counts it', async () => {
    await keep({ secrets: [secretWith()] });
    for (let round = 1; round <= 6; round++) {
      spoil({ 'ca.crt': OLD });
      expect(await again()).to.equal(undefined);
    }
    expect(told).to.have.length(6);
    spoil({ 'ca.crt': OLD });
    expect(await again()).to.equal(nowMs + 30_000);
    expect(bundleIn()).to.equal(OLD);
  });

  it('lets a new bundle wait for nothing, whatever else is broken, and counts nothing for it', async () => {
    const rounds = [1, 2, 3, 4, 5, 6];
    for (const _ of rounds) attempts.mended(KEY, nowMs);
    expect(await keep({ secrets: [secretWith({ extra: 'x' })] })).to.equal(undefined);
    expect([bundleIn(), told]).to.deep.equal([
      NEW,
      ['Mended the Secret: ca.crt was not the trust bundle; extra data key extra'],
    ]);
    spoil({ extra: 'x' });
    expect(await again()).to.equal(nowMs + 30_000);
    nowMs += 30_000;
    expect(await again()).to.equal(undefined);
  });

  it('keeps also the Secret under a name that the spec had before', async () => {
    const identity = identityWith({ certificate: { secretName: 'other' } });
    await keep({ secrets: [secretWith()], identity });
    expect(bundleIn()).to.equal(NEW);
  });

  it('leaves labels as they are where the spec asks for some that are not allowed', async () => {
    const labels = (team: string): AgentIdentity =>
      identityWith({ certificate: { secretTemplate: { labels: { team, tier: 'one' } } } });
    await keep({ secrets: [secretWith({}, labels('a'))], identity: labels('not allowed') });
    expect(bundleIn()).to.equal(NEW);
    expect(stored.get(NAME)?.metadata.labels).to.include({ team: 'a', tier: 'one' });
    expect(told).to.deep.equal([]);
    await keep({ secrets: [], identity: labels('b') });
    expect(stored.get(NAME)?.metadata.labels).to.include({ team: 'b', tier: 'one' });
  });

  it('keeps what is around a leaf that the ledger does not know: peers take it all the same', async () => {
    const rejected = { serialHex: LEAF.serialHex, because: 'unknown' } as const;
    await keep({ secrets: [secretWith()], rejected });
    expect(bundleIn()).to.equal(NEW);
  });

  it('goes on where one under a former name cannot be written, and tries that one again', async () => {
    forbidden = 'first-tls';
    const names = [NAME, 'first-tls', 'second-tls'];
    await keep({ secrets: names.map((name) => secretWith({}, identityWith(), name)) });
    expect(names.map((name) => bundleIn(name))).to.deep.equal([NEW, OLD, NEW]);
    expect(isKubeError(failure?.error, 'KUBE_FORBIDDEN')).to.equal(true);
    forbidden = undefined;
    await again();
    expect([bundleIn('first-tls'), failure, told]).to.deep.equal([NEW, undefined, []]);
  });

  it('knows one without any mark by its leaf, also by one of an issuer', async () => {
    const issued = await issuedLeaf(ISSUER);
    const texts = { 'tls.crt': issued.certificatePem, 'tls.key': issued.privateKeyPem };
    for (const secret of [secretWith(), secretWith(texts)]) {
      await keep({ secrets: [stripped(secret)] });
      expect([bundleIn(), stored.get(NAME)?.metadata.annotations]).to.deep.equal([
        NEW,
        { 'agenttrust.dev/owner-uid': 'uid-1' },
      ]);
    }
  });

  it('keeps its own beside an older identity on its ServiceAccount', async () => {
    await keep({ secrets: [secretWith()], olderClaimant: 'older' });
    expect(bundleIn()).to.equal(NEW);
  });

  const UNTOUCHED: Readonly<Record<string, () => Promise<unknown>>> = {
    'a leaf that is over': () => {
      nowMs = LEAF.notAfterMs + 1;
      return keep({ secrets: [secretWith()] });
    },
    'a leaf that is revoked': () =>
      keep({ secrets: [secretWith()], rejected: { serialHex: LEAF.serialHex, because: 'revoked' } }),
    'a leaf from before its key was taken away': () => {
      attempts.wiped(KEY, T0);
      return keep({ secrets: [secretWith()] });
    },
    'a leaf that nobody trusted has signed': async () =>
      keep({ secrets: [secretWith({ 'tls.crt': (await issuedLeaf(FORMER)).certificatePem })] }),
    'a key of another leaf': async () =>
      keep({ secrets: [secretWith({ 'tls.key': (await issuedLeaf(FIRST)).privateKeyPem })] }),
    'what is no certificate': () => keep({ secrets: [secretWith({ 'tls.crt': 'garbage' })] }),
    'a Secret of somebody else': async () => {
      const other = await issuedLeaf(FIRST, { spiffeId: 'spiffe://example.org/ns/ai-agents/sa/other' });
      const texts = { 'tls.crt': other.certificatePem, 'tls.key': other.privateKeyPem };
      return keep({ secrets: [stripped(secretWith(texts))] });
    },
    'that of an older identity on its ServiceAccount': () =>
      keep({ secrets: [stripped(secretWith(), 'uid-0')], olderClaimant: 'older' }),
    'one that may be of an older identity on its ServiceAccount': () =>
      keep({ secrets: [stripped(secretWith())], olderClaimant: 'older' }),
  };
  for (const [what, act] of Object.entries(UNTOUCHED)) {
    it(`leaves alone ${what}`, async () => {
      expect(await act()).to.equal(undefined);
      expect([bundleIn(), told]).to.deep.equal([OLD, []]);
    });
  }
});
