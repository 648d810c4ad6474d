/** What people may choose about a certificate and its Secret is what they get, and what they may not is refused and said. */

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { SECRET } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const KEYS = {
  'p-256': [{}, 'ec prime256v1'],
  'p-384': [{ size: 384 }, 'ec secp384r1'],
  'rsa-2048': [{ algorithm: 'RSA' }, 'rsa 2048'],
  'rsa-3072': [{ algorithm: 'RSA', size: 3072 }, 'rsa 3072'],
  'rsa-4096': [{ algorithm: 'RSA', size: 4096 }, 'rsa 4096'],
} as const;
const RECORD = 'agenttrust.dev/secret-template';

describe('the options of a certificate', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;

  before(async () => {
    operator = await startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
  });
  after(() => operator?.stop());

  function patchSpec(name: string, spec: object): Promise<unknown> {
    return swarm().client.mergePatch(AGENT_IDENTITY, { namespace: AGENTS, name, patch: { spec } });
  }

  function messageOf(identity: AgentIdentity): string {
    return identity.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
  }

  async function secretOf(name: string): Promise<Secret> {
    const secret = await swarm().secret(`${name}-tls`);
    if (secret === undefined) throw new Error(`${name} has no Secret`);
    return secret;
  }

  function pem({ data = {} }: Secret, key: string): string {
    return Buffer.from(data[key] ?? '', 'base64').toString();
  }

  async function leafOf(name: string): Promise<X509Certificate> {
    return new X509Certificate(pem(await secretOf(name), 'tls.crt'));
  }

  /** What `openssl verify -x509_strict` says of a Secret as the files of a pod, once for servers and once for clients. */
  async function verified(secret: Secret): Promise<readonly string[]> {
    const directory = await mkdtemp(join(tmpdir(), 'agent-trust-options-'));
    try {
      const [roots, leaf] = [join(directory, 'ca.crt'), join(directory, 'tls.crt')];
      await Promise.all([writeFile(roots, pem(secret, 'ca.crt')), writeFile(leaf, pem(secret, 'tls.crt'))]);
      const ask = (purpose: string): Promise<{ readonly stdout: string }> =>
        promisify(execFile)('openssl', [
          ...['verify', '-x509_strict', '-check_ss_sig', '-purpose', purpose],
          ...['-no-CApath', '-no-CAstore', '-CAfile', roots, '-untrusted', leaf, leaf],
        ]);
      const answers = [await ask('sslserver'), await ask('sslclient')];
      return answers.map(({ stdout }) => stdout.replace(directory, '').trim());
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  for (const [name, [privateKey, kind]] of Object.entries(KEYS)) {
    it(`gives a key of ${kind}, which OpenSSL takes`, async () => {
      await swarm().createAgent(name, { certificate: { privateKey } } as AgentIdentity['spec']);
      await swarm().ready(name);
      const secret = await secretOf(name);
      const { publicKey } = new X509Certificate(pem(secret, 'tls.crt'));
      const { namedCurve, modulusLength } = publicKey.asymmetricKeyDetails ?? {};
      expect(`${publicKey.asymmetricKeyType} ${namedCurve ?? modulusLength}`).to.equal(kind);
      expect(await verified(secret)).to.deep.equal(['/tls.crt: OK', '/tls.crt: OK']);
    });
  }

  it('gives another key at once when the spec asks for one', async () => {
    await patchSpec('p-384', { certificate: { privateKey: { algorithm: 'RSA', size: 3072 } } });
    await eventually('an RSA key', async () => {
      const { publicKey } = await leafOf('p-384');
      return publicKey.asymmetricKeyDetails?.modulusLength === 3072;
    });
  });

  it('gives DNS names of the namespace beside its own, and takes them away again', async () => {
    const dnsNames = ['db.ai-agents.svc', '0.db.ai-agents.svc.cluster.local'];
    await swarm().createAgent('named', { certificate: { dnsNames } });
    await swarm().ready('named');
    const secret = await secretOf('named');
    const names = (certificate: X509Certificate): readonly string[] =>
      (certificate.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('DNS:'));
    const own = ['DNS:named.ai-agents.svc', 'DNS:named.ai-agents.svc.cluster.local'];
    expect(names(new X509Certificate(pem(secret, 'tls.crt')))).to.deep.equal([
      ...own,
      ...dnsNames.map((name) => `DNS:${name}`),
    ]);
    expect(await verified(secret)).to.deep.equal(['/tls.crt: OK', '/tls.crt: OK']);
    await patchSpec('named', { certificate: { dnsNames: null } });
    await eventually(
      'a certificate without them',
      async () => names(await leafOf('named')).join() === own.join(),
    );
  });

  for (const dnsName of [
    'db.other.svc',
    'www.example.org',
    'ai-agents.svc',
    `${'a'.repeat(64)}.ai-agents.svc`,
  ]) {
    it(`refuses ${dnsName.slice(0, 20)}, says why, and leaves the certificate that is there`, async () => {
      const name = `foreign-${dnsName.length}`;
      await swarm().createAgent(name);
      await swarm().ready(name);
      const before = (await leafOf(name)).serialNumber;
      // There is no admission policy here, which would refuse all but the last.
      await patchSpec(name, { certificate: { dnsNames: [dnsName] } });
      expect(messageOf(await swarm().ready(name, 'InvalidSpec'))).to.equal(
        `spec.certificate.dnsNames: "${dnsName}" is no DNS name of this namespace. Use lower-case names without wildcard that end in .ai-agents.svc or .ai-agents.svc.cluster.local, or leave it out.`,
      );
      expect((await leafOf(name)).serialNumber).to.equal(before);
      await patchSpec(name, { certificate: { dnsNames: null } });
      await swarm().ready(name);
    });
  }

  it('gives a name to one agent: that of a Service to its agent, any other to the oldest that lists it', async () => {
    const names = (...dnsNames: readonly string[]): AgentIdentity['spec'] => ({
      certificate: { dnsNames: [...dnsNames] },
    });
    await swarm().createAgent('elder', names('shared.ai-agents.svc'));
    const { metadata } = await swarm().ready('elder');
    await eventually('the next second', () => Date.now() > Date.parse(metadata.creationTimestamp) + 1_100);
    await swarm().createAgent('younger', names('shared.ai-agents.svc.cluster.local'));
    expect(messageOf(await swarm().ready('younger', 'DNSNameTaken'))).to.equal(
      'spec.certificate.dnsNames: "shared.ai-agents.svc.cluster.local" stands in the dnsNames of AgentIdentity elder, and one name belongs to one agent. Take it out of either; the certificate follows by itself.',
    );
    expect(await swarm().secret('younger-tls')).to.equal(undefined);
    await patchSpec('elder', { certificate: { dnsNames: null } });
    await swarm().ready('younger');
    await swarm().createAgent('shared');
    await swarm().ready('shared');
    expect(messageOf(await swarm().ready('younger', 'DNSNameTaken'))).to.include(
      'is a name of the Service of AgentIdentity shared',
    );
    await controlPlane().kubectl(['delete', 'aid', 'shared', '-n', AGENTS]);
    await swarm().ready('younger');
  });

  it('puts the labels and annotations of the template on the Secret, and takes those away that leave it', async () => {
    const secretTemplate = {
      labels: { 'example.org/team': 'reports', tier: 'back' },
      annotations: { 'example.org/note': 'two words' },
    };
    await swarm().createAgent('templated', { certificate: { secretTemplate } });
    await swarm().ready('templated');
    const foreign = { metadata: { labels: { foreign: 'yes' }, annotations: { foreign: 'yes' } } };
    await swarm().client.mergePatch(SECRET, { namespace: AGENTS, name: 'templated-tls', patch: foreign });
    const before = await secretOf('templated');
    expect(before.metadata.labels).to.include({
      ...secretTemplate.labels,
      'agenttrust.dev/agent': 'templated',
    });
    expect(before.metadata.annotations).to.include(secretTemplate.annotations);

    await patchSpec('templated', { certificate: { secretTemplate: { labels: { tier: null } } } });
    await eventually('one label less', async () => {
      const { labels = {} } = (await secretOf('templated')).metadata;
      return !('tier' in labels) && labels['example.org/team'] === 'reports';
    });
    await patchSpec('templated', { certificate: { secretTemplate: null } });
    const after = await eventually('no template', async () => {
      const secret = await secretOf('templated');
      return !(RECORD in (secret.metadata.annotations ?? {})) && secret;
    });
    expect(after.metadata.labels).to.deep.equal({
      'agenttrust.dev/agent': 'templated',
      'agenttrust.dev/managed': 'true',
      foreign: 'yes',
    });
    expect(Object.keys(after.metadata.annotations ?? {}).sort()).to.deep.equal([
      'agenttrust.dev/owner-uid',
      'foreign',
    ]);
    expect(after.data).to.deep.equal(before.data);
  });

  it('refuses a label name that no Secret can have', async () => {
    await swarm().createAgent('mislabelled', { certificate: { secretTemplate: { labels: { 'a b': 'x' } } } });
    expect(messageOf(await swarm().ready('mislabelled', 'InvalidSpec'))).to.equal(
      'spec.certificate.secretTemplate.labels must not have "a b", which is no name.',
    );
  });
});
