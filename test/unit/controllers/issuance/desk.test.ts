import { createPrivateKey, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { Attempts } from '../../../../src/controllers/identity/attempts.ts';
import type { LeafAnswer, LeafAsk } from '../../../../src/controllers/issuance/answer.ts';
import { IssuanceDesk } from '../../../../src/controllers/issuance/desk.ts';
import type { CertificateRequest } from '../../../../src/controllers/issuance/kinds.ts';
import { requestRecord } from '../../../../src/controllers/issuance/request-object.ts';
import { Stages } from '../../../../src/controllers/issuance/stages.ts';
import { readIssuerCertificates } from '../../../../src/crypto/issuer-certificates.ts';
import type { CertificateWish } from '../../../../src/domain/certificate/plan.ts';
import { issuerAuthority } from '../../../../src/domain/issuance/facts.ts';
import { withDefaults } from '../../../../src/domain/issuance/issuer.ts';
import type { LedgerLine } from '../../../../src/domain/ledger/ledger-line.ts';
import { KubeError } from '../../../../src/kube/errors.ts';
import type { KubeObject } from '../../../../src/kube/object.ts';
import { caughtKubeError } from '../../../support/caught.ts';
import { IssuerWorld, listedIssuer } from '../../../support/issuance/issuer-world.ts';
import { answered, approves, denies, fails } from '../../../support/issuance/signer.ts';
import { parseRequest, TestCA } from '../../../support/issuance/test-ca.ts';
import { wish as plainWish, secretWithLeaf } from '../../domain/certificate/fixture.ts';

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const KEY = 'ai-agents/agent-deployer';
const { signal } = new AbortController();
const ISSUER = withDefaults({ name: 'agents-ca' });

describe('IssuanceDesk', () => {
  const ca = new TestCA({ name: 'CA', notBeforeMs: NOW - DAY, notAfterMs: NOW + 365 * DAY });
  const read = readIssuerCertificates(Buffer.from(ca.pem));
  const certificates = read.kind === 'certificates' ? read.certificates : [];
  const trusted = certificates.map(issuerAuthority);
  const identity: AgentIdentity = {
    metadata: {
      name: 'agent-deployer',
      namespace: 'ai-agents',
      uid: 'uid-1',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {},
  };
  const [signingAuthority = plainWish.signingAuthority] = trusted;
  const wish: CertificateWish = { ...plainWish, signingAuthority, trustedAuthorities: trusted };
  let nowMs: number;
  let stages: Stages;
  let desk: IssuanceDesk;
  let requests: Map<string, CertificateRequest>;
  let lines: LedgerLine[];
  let refusals: KubeError[];
  let ledgerRefuses: boolean;
  let left: string[];

  beforeEach(async () => {
    nowMs = NOW;
    requests = new Map();
    lines = [];
    refusals = [];
    ledgerRefuses = false;
    left = [];
    stages = new Stages();
    stages.onLeft((name) => left.push(name));
    const client = {
      /** Takes effect also where its answer is lost. */
      async create<T extends KubeObject>(_type: unknown, object: T): Promise<T> {
        const refusal = refusals.shift();
        if (requests.has(object.metadata.name)) throw new KubeError('KUBE_ALREADY_EXISTS', 'create');
        requests.set(object.metadata.name, object as KubeObject as CertificateRequest);
        if (refusal !== undefined) throw refusal;
        return object;
      },
      find: async <T extends KubeObject>(_type: unknown, { name }: { readonly name: string }) =>
        requests.get(name) as KubeObject as T | undefined,
    };
    const book = await new IssuerWorld().lead(listedIssuer(ISSUER.name, certificates));
    desk = new IssuanceDesk({
      view: {
        request: (name) => {
          const found = requests.get(name);
          return found && requestRecord(found);
        },
        observe: () => {},
      },
      book,
      client,
      ledger: {
        async commit(line) {
          if (ledgerRefuses) throw new KubeError('KUBE_UNAVAILABLE', 'update configmaps');
          lines.push(line);
        },
      },
      attempts: new Attempts(() => 0.5),
      stages,
      operatorNamespace: 'agent-trust-system',
      acceleration: 1,
      nowMs: () => nowMs,
      tell: () => {},
    });
  });

  const ask = (changes: Partial<LeafAsk> = {}): Promise<LeafAnswer> =>
    desk.leafFor({ key: KEY, identity, wish, issuer: ISSUER, observed: undefined, ...changes }, signal);

  /** The request that is there, and the only one that somebody waits for. */
  function waitedFor(): CertificateRequest {
    const [request, ...more] = [...requests.values()].filter(
      ({ metadata }) => stages.waitsFor(metadata.name) !== undefined,
    );
    if (request === undefined || more.length > 0) throw new Error('there is not exactly one request');
    return request;
  }

  function answer(status: CertificateRequest['status']): void {
    const request = waitedFor();
    requests.set(request.metadata.name, { ...request, ...(status && { status }) });
  }

  /** As asked for at the moment. */
  function sign(): void {
    const { spec } = waitedFor();
    const times = { notBeforeMs: nowMs, notAfterMs: nowMs + DAY };
    answer(answered(ca.sign(parseRequest(Buffer.from(spec.request, 'base64')), times), ca.pem));
  }

  it('asks once, waits, and hands out what is in the ledger', async () => {
    expect((await ask()).kind).to.equal('waiting');
    expect((await ask()).kind).to.equal('waiting');
    const { metadata, spec } = waitedFor();
    expect(requests.size).to.equal(1);
    expect(spec).to.deep.include({
      issuerRef: ISSUER,
      duration: '24h',
      usages: ['digital signature', 'client auth', 'server auth'],
    });
    sign();
    const given = await ask();
    if (given.kind !== 'leaf') throw new Error(given.kind);
    const leaf = new X509Certificate(given.leaf.certificatePem);
    expect(leaf.checkPrivateKey(createPrivateKey(given.leaf.privateKeyPem))).to.equal(true);
    expect(lines).to.deep.equal([
      {
        identityUid: 'uid-1',
        namespace: 'ai-agents',
        serviceAccountName: 'agent-deployer',
        serialHex: leaf.serialNumber.toLowerCase(),
        notAfterMs: NOW + DAY,
        generation: certificates[0]?.id,
      },
    ]);
    expect(left).to.deep.equal([metadata.name]);
  });

  it('hands out the same leaf until it is forgotten, and not beyond 20 minutes', async () => {
    await ask();
    sign();
    const first = await ask();
    nowMs += 20 * MINUTE;
    expect(await ask()).to.deep.equal(first);
    nowMs += 1;
    expect((await ask()).kind).to.equal('waiting');
    expect(requests.size).to.equal(2);
  });

  it('hands nothing out that is not in the ledger, and the same when it is', async () => {
    await ask();
    sign();
    ledgerRefuses = true;
    await caughtKubeError(ask());
    ledgerRefuses = false;
    expect((await ask()).kind).to.equal('leaf');
    expect([lines.length, requests.size]).to.deep.equal([1, 1]);
  });

  it('sends a request again whose answer was lost, which makes no other: the name follows from the key', async () => {
    refusals = [new KubeError('KUBE_UNAVAILABLE', 'create', { lost: true })];
    await caughtKubeError(ask());
    expect((await ask()).kind).to.equal('waiting');
    expect(requests.size).to.equal(1);
  });

  it('overwrites the private key of a request that is given up', async () => {
    await ask();
    const stage = stages.get(KEY);
    if (stage?.kind !== 'asked') throw new Error('nothing was asked');
    const { pkcs8Der } = stage.keyPair;
    desk.forget(KEY);
    expect(pkcs8Der.every((octet) => octet === 0)).to.equal(true);
    expect(left).to.deep.equal([stage.request.metadata.name]);
  });

  it('gives a request up after an hour, and makes another with another key', async () => {
    await ask();
    answer(approves());
    nowMs += HOUR;
    await ask();
    expect(requests.size).to.equal(1);
    nowMs += 1;
    await ask();
    expect([requests.size, left.length]).to.deep.equal([2, 1]);
  });

  const CHANGES: readonly (readonly [string, Partial<LeafAsk>])[] = [
    ['the spec changed', { wish: { ...wish, profile: { ...wish.profile, durationMs: 12 * HOUR } } }],
    ['another issuer is to sign', { issuer: withDefaults({ name: 'other' }) }],
    ['older leaves are refused', { wish: { ...wish, refuseLeafsBeforeMs: NOW } }],
    ['a renewal is asked for', { wish: { ...wish, renewLeafsBeforeMs: NOW } }],
    ['the identity was made anew', { wish: { ...wish, identityUid: 'uid-2' } }],
  ];
  for (const [title, change] of CHANGES) {
    it(`makes another request when ${title}`, async () => {
      await ask();
      const { name } = waitedFor().metadata;
      await ask(change);
      expect([requests.size, left]).to.deep.equal([2, [name]]);
    });
  }

  it('retries a failure 5 s later, with another key, then later', async () => {
    await ask();
    answer(fails());
    const refused = await ask();
    expect(refused).to.include({ kind: 'refused', reason: 'IssueFailed', retryAtMs: NOW + 5_000 });
    nowMs = NOW + 4_999;
    expect(await ask()).to.deep.equal(refused);
    expect(requests.size).to.equal(1);
    nowMs = NOW + 5_000;
    await ask();
    answer(fails());
    expect(await ask()).to.include({ retryAtMs: nowMs + 10_000 });
    expect(requests.size).to.equal(2);
  });

  it('waits after a denial until the spec changes, however long', async () => {
    await ask();
    answer(denies());
    const refused = await ask();
    expect(refused).to.include({ kind: 'refused', reason: 'IssuerDenied', retryAtMs: undefined });
    nowMs += 30 * DAY;
    expect(await ask()).to.deep.equal(refused);
    expect(requests.size).to.equal(1);
    await ask({ identity: { ...identity, metadata: { ...identity.metadata, generation: 2 } } });
    expect(requests.size).to.equal(2);
  });

  it('makes another request when somebody deleted the one', async () => {
    await ask();
    requests.clear();
    expect(await ask()).to.include({ kind: 'refused', reason: 'IssueFailed' });
    nowMs += 5_000;
    expect((await ask()).kind).to.equal('waiting');
    expect(requests.size).to.equal(1);
  });

  it('keeps a leaf back ten minutes whose CA is new, where one works, and only there', async () => {
    const works = secretWithLeaf({ notAfterMs: NOW + DAY });
    await ask();
    sign();
    expect(await ask({ observed: works })).to.include({ kind: 'waiting', recheckAtMs: NOW + 10 * MINUTE });
    for (const observed of [
      undefined,
      secretWithLeaf({ notAfterMs: NOW - 1 }),
      secretWithLeaf({ authorityId: undefined }),
      secretWithLeaf({ authorityId: certificates[0]?.id }),
      { ...works, content: { ...works.content, keyMatches: false } },
    ])
      expect((await ask({ observed })).kind).to.equal('leaf');
    nowMs = NOW + 10 * MINUTE;
    expect((await ask({ observed: works })).kind).to.equal('leaf');
    expect(requests.size).to.equal(1);
  });

  it('asks for no more than is left of the CA', async () => {
    const ending = { ...signingAuthority, notAfterMs: NOW + 2 * HOUR + 999 };
    await ask({ wish: { ...wish, signingAuthority: ending } });
    expect(waitedFor().spec.duration).to.equal('2h');
  });
});
