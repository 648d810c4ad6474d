/** Certificates that an issuer of cert-manager signs: whatever it answers, only the one that was asked for is used. */

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:tls';
import { expect } from 'chai';
import { ensureCertificateRequestCrd } from '../../../hack/cert-manager-crds/cert-manager-crds.ts';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY, BUNDLE_NAME, ISSUERS_NAME } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { CONFIG_MAP, SECRET } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { vacateLease } from '../../support/crash.ts';
import { eventually } from '../../support/eventually.ts';
import {
  answered,
  approves,
  type Behaviour,
  denies,
  fails,
  honest,
  liveCA,
  never,
  TestSigner,
} from '../../support/issuance/signer.ts';
import { otherKey } from '../../support/issuance/test-ca.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const DAY_MS = 86_400_000;

describe('an AgentIdentity with an issuer of cert-manager', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  const root = liveCA('root of the issuer');
  const middle = liveCA('intermediate', root);
  const unlisted = liveCA('CA that nobody has listed');
  const other = liveCA('another CA');
  const issuers = [{ name: 'listed', ca: root.pem }, { name: 'learned' }, { name: 'without-ca' }];
  const flags = [`--namespaces=${AGENTS}`, `--issuers=${JSON.stringify(issuers)}`];
  let signer: TestSigner;
  let operator: RunningOperator;

  const install = (): Promise<void> =>
    installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'policies',
      set: issuers.map(({ name }, at) => `certManager.issuers[${at}].name=${name}`),
    });
  const start = async (): Promise<RunningOperator> => startOperator({ controlPlane: controlPlane(), flags });

  before(async () => {
    const stdin = await readFile(await ensureCertificateRequestCrd(), 'utf8');
    await controlPlane().kubectl(['create', '--filename=-'], { stdin });
    await install();
    signer = new TestSigner(swarm().client, OPERATOR_NAMESPACE, {
      listed: root,
      learned: unlisted,
      'without-ca': other,
    });
    await eventually('CertificateRequests to be served', async () => {
      const { exitStatus } = await controlPlane().kubectl(['get', 'certificaterequests', '-A'], {
        mayFail: true,
      });
      return exitStatus === 0;
    });
    await signer.start();
    operator = await start();
  });
  after(async () => {
    await operator?.stop();
    await signer?.stop();
  });

  async function create(name: string, behaviour: Behaviour = honest, issuer = 'listed'): Promise<void> {
    signer.behave(name, behaviour);
    await swarm().createAgent(name, { certificate: { issuerRef: { name: issuer } } });
  }

  async function dataOf(name: string): Promise<Readonly<Record<string, string>>> {
    const { data = {} } = (await swarm().secret(`${name}-tls`)) ?? {};
    return Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
    );
  }

  async function leafOf(name: string): Promise<X509Certificate> {
    return new X509Certificate((await dataOf(name))['tls.crt'] ?? '');
  }

  async function ledger(): Promise<string> {
    const { items } = await swarm().client.list<ConfigMap>(CONFIG_MAP, {
      namespace: OPERATOR_NAMESPACE,
      labelSelector: 'agenttrust.dev/ledger',
    });
    return items.map(({ data = {} }) => Object.values(data).join('\n')).join('\n');
  }

  function messageOf({ status }: AgentIdentity): string {
    return status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
  }

  const nothingLeft = (name: string): Promise<boolean> =>
    eventually(`no request of ${name} to be left`, () => signer.pending(name).length === 0);

  it('gets what it asked for from one that answers honestly', async () => {
    await create('honest');
    const { status } = await swarm().ready('honest');
    const leaf = await leafOf('honest');
    expect(leaf.verify(new X509Certificate(root.pem).publicKey)).to.equal(true);
    expect(leaf.subjectAltName).to.equal(
      `URI:spiffe://cluster.local/ns/${AGENTS}/sa/honest, DNS:honest.${AGENTS}.svc, DNS:honest.${AGENTS}.svc.cluster.local`,
    );
    expect(status?.certificate).to.include({
      revocation: 'identity-only',
      serialNumber: leaf.serialNumber.toLowerCase(),
    });
    expect(await ledger()).to.include(`${AGENTS}/honest ${leaf.serialNumber.toLowerCase()} `);
    await nothingLeft('honest');
    expect(signer.count('honest')).to.equal(1);
  });

  it('brings the CA of the issuer into every bundle and every ca.crt, beside the built-in authority', async () => {
    await swarm().createAgent('built-in');
    await swarm().ready('built-in');
    const texts = [(await dataOf('honest'))['ca.crt'], (await dataOf('built-in'))['ca.crt']];
    const bundle = await swarm().client.get<ConfigMap>(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME });
    for (const text of [...texts, bundle.data?.['ca.crt']]) {
      const certificates = text?.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
      expect(certificates).to.have.length(2);
      expect(certificates).to.include(root.pem);
      expect(text).to.equal(texts[0]);
    }
    const { status } = await swarm().identity('built-in');
    expect(status?.certificate).to.not.have.property('revocation');
  });

  it('keeps the intermediates of a chain in tls.crt, and mends what else is put there', async () => {
    await create('chained', ({ request, times }) =>
      answered(middle.sign(request, times) + middle.pem + root.pem),
    );
    await swarm().ready('chained');
    const chain = (await dataOf('chained'))['tls.crt'] ?? '';
    expect(chain.endsWith(middle.pem)).to.equal(true);
    const { metadata } = (await swarm().secret('chained-tls')) ?? { metadata: { name: '' } };
    // Past the policy that keeps others from it, which a backup tool may have switched off.
    await controlPlane().kubectl([
      'delete',
      'validatingadmissionpolicybinding',
      'agent-trust-managed-secrets',
    ]);
    const longer = { data: { 'tls.crt': Buffer.from(chain + other.pem).toString('base64') } };
    await eventually('the chain to be altered', async () => {
      await controlPlane().kubectl([
        'patch',
        'secret',
        metadata.name,
        '-n',
        AGENTS,
        '--type=merge',
        '-p',
        JSON.stringify(longer),
      ]);
      return true;
    });
    await eventually('the chain to be as it was', async () => (await dataOf('chained'))['tls.crt'] === chain);
    expect(signer.count('chained')).to.equal(1);
    await install();
  });

  it('mends a Secret that has lost all that says whose it is, and asks for no other certificate', async () => {
    await create('stripped');
    await swarm().ready('stripped');
    const { annotations, ownerReferences } = (await swarm().secret('stripped-tls'))?.metadata ?? {};
    await controlPlane().kubectl([
      'delete',
      'validatingadmissionpolicybinding',
      'agent-trust-managed-secrets',
    ]);
    const patch = JSON.stringify({ metadata: { annotations: null, ownerReferences: null } });
    await eventually('it to be altered', async () => {
      const { exitStatus } = await controlPlane().kubectl(
        ['patch', 'secret', 'stripped-tls', '-n', AGENTS, '--type=merge', '-p', patch],
        { mayFail: true },
      );
      return exitStatus === 0;
    });
    await eventually('it to be as it was', async () => {
      const { metadata } = (await swarm().secret('stripped-tls')) ?? {};
      expect(metadata).to.deep.include({ annotations, ownerReferences });
      return true;
    });
    await swarm().ready('stripped');
    expect(signer.count('stripped')).to.equal(1);
    await install();
  });

  it('talks to an agent of the built-in authority, both ways', async () => {
    const [agents, issued, chained] = [
      await dataOf('built-in'),
      await dataOf('honest'),
      await dataOf('chained'),
    ];
    const places = [
      ['built-in', agents, issued],
      ['honest', issued, chained],
      ['chained', chained, agents],
    ] as const;
    for (const [name, server, client] of places) {
      expect(await greeting({ name, server, client })).to.equal(`hello ${spiffeIdOf(client)}`);
    }
  });

  it('takes the CA of an issuer without one from the first good answer', async () => {
    await create('learner', honest, 'learned');
    await swarm().ready('learner');
    expect((await dataOf('learner'))['ca.crt']).to.include(unlisted.pem);
    const stored = await swarm().client.get<ConfigMap>(CONFIG_MAP, {
      namespace: OPERATOR_NAMESPACE,
      name: ISSUERS_NAME,
    });
    expect(Object.keys(stored.data ?? {}).sort()).to.deep.equal([
      'ClusterIssuer_cert-manager.io_learned',
      'ClusterIssuer_cert-manager.io_listed',
    ]);
    expect(stored.data?.['ClusterIssuer_cert-manager.io_learned']).to.include(unlisted.pem);
    await eventually('the others to trust it', async () =>
      (await dataOf('honest'))['ca.crt']?.includes(unlisted.pem),
    );
    await eventually('an event', async () => {
      const { stdout } = await controlPlane().kubectl(['get', 'events', '-n', AGENTS]);
      return stdout.includes('IssuerTrusted');
    });
    expect((await swarm().ready('honest')).status?.certificate?.serialNumber).to.equal(
      (await leafOf('honest')).serialNumber.toLowerCase(),
    );
  });

  it('is not served by a CA other than the one that was learned', async () => {
    await create(
      'second',
      ({ request, times }) => answered(other.sign(request, times), other.pem),
      'learned',
    );
    expect(messageOf(await swarm().ready('second', 'IssuerAnswerRefused'))).to.include('NotSignedByCA');
    expect(await swarm().secret('second-tls')).to.equal(undefined);
  });

  it('says that no CA is known, when the answer has none either', async () => {
    await create('no-ca', ({ request, times, ca }) => answered(ca.sign(request, times)), 'without-ca');
    expect(messageOf(await swarm().ready('no-ca', 'IssuerCAUnknown'))).to.include(
      'certManager.issuers[].ca of the chart',
    );
    signer.behave('no-ca', honest);
    await swarm().ready('no-ca');
  });

  it('waits for one that answers late, and says for what', async () => {
    await create('late', never);
    const waiting = await swarm().ready('late', 'IssuerPending');
    const [request] = await eventually('the request', () => {
      const pending = signer.pending('late');
      return pending.length > 0 && pending;
    });
    expect(messageOf(waiting)).to.equal(
      `CertificateRequest ${OPERATOR_NAMESPACE}/${request?.metadata.name} waits for somebody to approve it.`,
    );
    signer.behave('late', approves);
    await eventually('the approval to be seen', async () =>
      messageOf(await swarm().identity('late')).includes('waits for ClusterIssuer listed to sign it'),
    );
    signer.behave('late', honest);
    await swarm().ready('late');
    await nothingLeft('late');
    expect(signer.count('late')).to.equal(1);
  });

  it('waits for one that never answers with one request, and is not Ready', async () => {
    await create('forever', never);
    await swarm().ready('forever', 'IssuerPending');
    await swarm().client.mergePatch(AGENT_IDENTITY, {
      namespace: AGENTS,
      name: 'forever',
      // Its Secret's alone: what is asked for stays the same, and Ready says of which generation of the spec it speaks.
      patch: { spec: { certificate: { secretTemplate: { labels: { note: 'looked-at-again' } } } } },
    });
    await swarm().ready('forever', 'IssuerPending');
    expect([signer.count('forever'), signer.pending('forever').length]).to.deep.equal([1, 1]);
    expect(await swarm().secret('forever-tls')).to.equal(undefined);
  });

  const WRONG: readonly (readonly [string, string, Behaviour])[] = [
    [
      'another-key',
      'KeyDiffers',
      ({ request, times, ca }) => answered(ca.sign({ ...request, spkiDer: otherKey() }, times)),
    ],
    [
      'other-names',
      'DnsNamesDiffer',
      ({ request, times, ca }) =>
        answered(ca.sign({ ...request, extensions: request.extensions.slice(0, 2) }, times)),
    ],
    [
      'longer-life',
      'LifeDiffers',
      ({ request, times, ca }) =>
        answered(ca.sign(request, { ...times, notAfterMs: times.notAfterMs + DAY_MS })),
    ],
    [
      'broken-pem',
      'AnswerUnreadable',
      ({ request, times, ca }) => answered(ca.sign(request, times).slice(0, 500)),
    ],
    ['other-ca', 'NotSignedByCA', ({ request, times }) => answered(other.sign(request, times), other.pem)],
  ];
  for (const [name, finding, behaviour] of WRONG) {
    it(`does not use what one returns wrongly: ${name.replace('-', ' ')}`, async () => {
      await create(name, behaviour);
      const refused = await swarm().ready(name, 'IssuerAnswerRefused');
      expect(messageOf(refused)).to.include(finding);
      expect(refused.status?.certificate?.failedAttempts).to.be.at.least(1);
      expect(await swarm().secret(`${name}-tls`)).to.equal(undefined);
      expect(await ledger()).to.not.include(`${AGENTS}/${name} `);
      signer.behave(name, honest);
      await swarm().ready(name);
      await nothingLeft(name);
    });
  }

  it('tries again after one that failed, with another key', async () => {
    await create('failed', fails);
    await swarm().ready('failed', 'IssueFailed');
    signer.behave('failed', honest);
    await swarm().ready('failed');
    expect(signer.count('failed')).to.be.at.least(2);
  });

  it('asks one that denied again when the spec changes, and not before', async () => {
    await create('denied', denies);
    const refused = await swarm().ready('denied', 'IssuerDenied');
    expect(refused.status?.conditions?.map(({ type }) => type)).to.include('Stalled');
    await nothingLeft('denied');
    signer.behave('denied', honest);
    await swarm().client.mergePatch(AGENT_IDENTITY, {
      namespace: AGENTS,
      name: 'denied',
      patch: { metadata: { annotations: { 'agenttrust.dev/note': 'looked at again' } } },
    });
    await swarm().createAgent('after-denied');
    await swarm().ready('after-denied');
    expect([signer.count('denied'), await swarm().secret('denied-tls')]).to.deep.equal([1, undefined]);
    await swarm().client.mergePatch(AGENT_IDENTITY, {
      namespace: AGENTS,
      name: 'denied',
      patch: { spec: { certificate: { duration: '12h' } } },
    });
    await swarm().ready('denied');
    expect(signer.count('denied')).to.equal(2);
  });

  it('stays Ready while a renewal waits', async () => {
    await create('renewed', ({ request, times, ca }) =>
      answered(ca.sign(request, { ...times, notBeforeMs: times.notBeforeMs - 119_000 })),
    );
    const before = (await swarm().ready('renewed')).status?.certificate?.serialNumber;
    signer.behave('renewed', never);
    // A leader renews no certificate that it has written within the last minute.
    await operator.stop();
    operator = await start();
    const atMs = Date.now() + 3_000;
    await swarm().client.mergePatch(AGENT_IDENTITY, {
      namespace: AGENTS,
      name: 'renewed',
      patch: { metadata: { annotations: { 'agenttrust.dev/renew-before': new Date(atMs).toISOString() } } },
    });
    await eventually('a renewal to be asked for', () => signer.pending('renewed').length === 1);
    const waiting = await eventually('status to say so', async () => {
      const identity = await swarm().ready('renewed');
      return messageOf(identity).startsWith('A new certificate is on its way.') && identity;
    });
    expect(waiting.status?.certificate?.serialNumber).to.equal(before);
    signer.behave('renewed', honest);
    await eventually('the renewed certificate', async () => {
      const { status } = await swarm().ready('renewed');
      return status?.certificate?.serialNumber !== before;
    });
  });

  it('keeps a certificate that works until every pod has the CA of the issuer', async () => {
    await swarm().createAgent('moving');
    const before = (await swarm().ready('moving')).status?.certificate?.serialNumber;
    await swarm().client.mergePatch(AGENT_IDENTITY, {
      namespace: AGENTS,
      name: 'moving',
      patch: { spec: { certificate: { issuerRef: { name: 'listed' } } } },
    });
    await eventually('the new certificate to be held back', async () =>
      /takes the place of the present one at .*, when every pod has its CA/.test(
        messageOf(await swarm().ready('moving', 'IssuerPending')),
      ),
    );
    expect((await leafOf('moving')).serialNumber.toLowerCase()).to.equal(before);
    await nothingLeft('moving');
  });

  it('deletes the request of an agent that is cut off', async () => {
    await create('suspended', never);
    await swarm().ready('suspended', 'IssuerPending');
    await swarm().client.mergePatch(AGENT_IDENTITY, {
      namespace: AGENTS,
      name: 'suspended',
      patch: { spec: { suspended: true } },
    });
    await swarm().ready('suspended', 'Quarantined');
    await nothingLeft('suspended');
  });

  it('deletes the request of an agent that is gone', async () => {
    await create('gone', never);
    await swarm().ready('gone', 'IssuerPending');
    await controlPlane().kubectl(['delete', 'aid', 'gone', '-n', AGENTS]);
    await nothingLeft('gone');
  });

  it('asks anew after a crash, with another key, and leaves nothing behind', async () => {
    await create('crashed', never);
    await swarm().ready('crashed', 'IssuerPending');
    const [orphan] = signer.pending('crashed');
    await operator.kill();
    await vacateLease(swarm().client);
    signer.behave('crashed', honest);
    operator = await start();
    await swarm().ready('crashed');
    await nothingLeft('crashed');
    expect(signer.count('crashed')).to.equal(2);
    const secret = JSON.stringify(
      await swarm().client.get<Secret>(SECRET, { namespace: AGENTS, name: 'crashed-tls' }),
    );
    expect(secret).to.not.include(orphan?.metadata.name ?? 'no name');
    // What an earlier leader had learned is still trusted.
    expect((await dataOf('crashed'))['ca.crt']).to.include(unlisted.pem);
  });

  it('says that an issuer is not on the list', async () => {
    await create('unlisted', honest, 'nobody');
    const refused = await swarm().ready('unlisted', 'IssuerNotListed');
    expect(messageOf(refused)).to.include('ClusterIssuer nobody is not on the list');
    expect(signer.count('unlisted')).to.equal(0);
  });

  it('is fenced: nobody else asks the issuer for the same SPIFFE ID', async () => {
    const stdin = JSON.stringify({
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: { name: 'stolen', namespace: AGENTS },
      spec: { request: 'eA==', issuerRef: { name: 'listed', kind: 'ClusterIssuer' } },
    });
    const asked = await controlPlane().kubectl(
      ['create', '--filename=-', '--as=system:admin', '--as-group=system:masters'],
      { stdin, mayFail: true },
    );
    expect(asked.exitStatus).to.not.equal(0);
    expect(asked.stderr).to.include('ClusterIssuer listed signs for agent-trust alone');
  });

  it('asks nothing of an issuer without that fence, and goes on when it is back', async () => {
    await controlPlane().kubectl(['delete', 'validatingadmissionpolicybinding', 'agent-trust-issuers']);
    await eventually('the fence to be missed', async () =>
      messageOf(await swarm().identity('forever')).includes(
        'Nothing keeps others from asking ClusterIssuer listed',
      ),
    );
    await create('unfenced');
    const refused = await swarm().ready('unfenced', 'IssuerNotFenced');
    expect(messageOf(refused)).to.include('agent-trust-issuers');
    expect(signer.count('unfenced')).to.equal(0);
    const held = await swarm().ready('honest', 'IssuerNotFenced');
    expect(held.status?.certificate?.serialNumber).to.equal(
      (await leafOf('honest')).serialNumber.toLowerCase(),
    );
    await install();
    await swarm().ready('unfenced');
    await swarm().ready('honest');
  });
});

type Files = Readonly<Record<string, string>>;

function spiffeIdOf(files: Files): string {
  return new X509Certificate(files['tls.crt'] ?? '').subjectAltName?.split(', ')[0] ?? '';
}

function secured(files: Files): { readonly cert: string; readonly key: string; readonly ca: string } {
  return { cert: files['tls.crt'] ?? '', key: files['tls.key'] ?? '', ca: files['ca.crt'] ?? '' };
}

/** What a server answers to a client, each with its own files: whom it has seen. */
async function greeting({
  name,
  server,
  client,
}: {
  readonly name: string;
  readonly server: Files;
  readonly client: Files;
}): Promise<string> {
  const options = { ...secured(server), requestCert: true, rejectUnauthorized: true };
  const listening = createServer(options, (socket) => {
    const [uri] = socket.getPeerX509Certificate()?.subjectAltName?.split(', ') ?? [];
    socket.end(`hello ${uri}`);
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  listening.on('tlsClientError', reject);
  listening.listen(0, '127.0.0.1', () => {
    const address = listening.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const socket = connect({
      ...secured(client),
      host: '127.0.0.1',
      port,
      servername: `${name}.${AGENTS}.svc`,
    });
    socket.on('data', (data: Buffer) => resolve(data.toString()));
    socket.on('error', reject);
  });
  try {
    return await promise;
  } finally {
    listening.close();
  }
}

describe('an AgentIdentity with an issuer, without cert-manager', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  const ca = liveCA('root');
  let operator: RunningOperator;
  let signer: TestSigner | undefined;

  before(async () => {
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'policies',
      set: ['certManager.issuers[0].name=agents-ca'],
    });
    const issuers = JSON.stringify([{ name: 'agents-ca', ca: ca.pem }]);
    operator = await startOperator({
      controlPlane: controlPlane(),
      flags: [`--namespaces=${AGENTS}`, `--issuers=${issuers}`],
    });
  });
  after(async () => {
    await operator?.stop();
    await signer?.stop();
  });

  it('says so, and gets its certificate when cert-manager is there', async () => {
    await swarm().createAgent('early', { certificate: { issuerRef: { name: 'agents-ca' } } });
    const refused = await swarm().ready('early', 'IssuerUnavailable');
    expect(refused.status?.conditions?.[0]?.message).to.equal(
      'The API server serves no CertificateRequests (cert-manager.io/v1). Install cert-manager; the certificate follows by itself.',
    );
    const stdin = await readFile(await ensureCertificateRequestCrd(), 'utf8');
    await controlPlane().kubectl(['create', '--filename=-'], { stdin });
    await eventually('CertificateRequests to be served', async () => {
      const { exitStatus } = await controlPlane().kubectl(['get', 'certificaterequests', '-A'], {
        mayFail: true,
      });
      return exitStatus === 0;
    });
    signer = new TestSigner(swarm().client, OPERATOR_NAMESPACE, { 'agents-ca': ca });
    await signer.start();
    await swarm().ready('early');
  });
});
