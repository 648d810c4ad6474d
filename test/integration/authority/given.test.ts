/** An authority that somebody gives signs for agents, rotates when its content changes, and is refused with a reason when it is bad. */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { AUTHORITY_STATE_NAME, BUNDLE_NAME } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { readBundleSignature } from '../../../src/crypto/jose/bundle-signature.ts';
import { CONFIG_MAP, EVENT, SECRET } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { type GivenCa, givenCa } from '../../support/authority/given-ca.ts';
import { givenSecret } from '../../support/authority/given-rows.ts';
import { AuthorityProbe } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { verifyWithCrl } from '../../support/openssl.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const NAME = 'corporate-ca';
const DAY_MS = 86_400_000;
const LIFE = {
  notBeforeMs: Math.floor(Date.now() / 1000) * 1000 - DAY_MS,
  notAfterMs: Math.floor(Date.now() / 1000) * 1000 + 365 * DAY_MS,
};
/** Replaced within a minute after its authority was. */
const SHORT = { certificate: { duration: '10m', renewBefore: '2m' } };

interface Told extends KubeObject {
  readonly note: string;
  readonly reason: string;
  readonly regarding: { readonly name: string };
}

describe('an authority that is given', function () {
  this.timeout(300_000);
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  const root = givenCa({ name: 'Corporate root', life: LIFE });
  let operator: RunningOperator;

  before(async () => {
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      set: [`authority.secretName=${NAME}`],
    });
    operator = await startOperator({
      controlPlane: controlPlane(),
      // Ten minutes between being seen everywhere and the first leaf are a second.
      flags: [`--namespaces=${AGENTS}`, `--authority-secret=${NAME}`, '--authority-acceleration=600'],
    });
  });
  after(() => operator?.stop());

  async function give(data: Parameters<typeof givenSecret>[0]): Promise<void> {
    const { data: wanted = {}, type = '' } = givenSecret(data);
    const target = { namespace: OPERATOR_NAMESPACE, name: NAME };
    const found = await swarm().client.find<Secret>(SECRET, target);
    const patch = { data: { 'ca.crt': null, ...wanted } };
    if (found === undefined)
      await swarm().client.create<Secret>(SECRET, { metadata: target, type, data: wanted });
    else await swarm().client.mergePatch(SECRET, { ...target, patch });
  }

  async function state(): Promise<Readonly<Record<string, string>>> {
    const target = { namespace: OPERATOR_NAMESPACE, name: AUTHORITY_STATE_NAME };
    return (await swarm().client.find<ConfigMap>(CONFIG_MAP, target))?.data ?? {};
  }

  async function files(name: string): Promise<Readonly<Record<string, string>>> {
    const { data = {} } = (await swarm().secret(`${name}-tls`)) ?? {};
    return Object.fromEntries(
      Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]),
    );
  }

  function certificates(pem = ''): readonly X509Certificate[] {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
    return blocks.map((block) => new X509Certificate(block));
  }

  /** Subjects of what stands in a PEM file. */
  function subjects(pem = ''): readonly string[] {
    return certificates(pem).map(({ subject }) => subject.replace(/^.*CN=/s, ''));
  }

  /** What OpenSSL says of the files of an agent, strictly, and with the revocation lists of the bundle. */
  async function opensslSays(name: string): Promise<string> {
    const { 'tls.crt': certificate = '', 'ca.crt': roots = '' } = await files(name);
    const bundle = await swarm().client.get<ConfigMap>(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME });
    const crl = bundle.data?.['ca.crl'] ?? '';
    return verifyWithCrl({ roots, crl, certificate, purpose: 'sslserver' });
  }

  /** Whether the bundle is signed by what the roots in the Secret of an agent stand for. */
  async function isBundleSigned(name: string): Promise<boolean> {
    const bundle = await swarm().client.get<ConfigMap>(CONFIG_MAP, { namespace: AGENTS, name: BUNDLE_NAME });
    const rootsPem = (await files(name))['ca.crt'] ?? '';
    const trust = { rootsPem, trustDomain: 'cluster.local', nowMs: Date.now() };
    return readBundleSignature(bundle.data?.['bundle.jws'] ?? '', trust) !== undefined;
  }

  async function told(note: RegExp): Promise<Told> {
    return eventually(`an event that says ${note}`, async () => {
      const { items } = await swarm().client.list<Told>(EVENT, { namespace: OPERATOR_NAMESPACE });
      return items.find((event) => event.reason === 'AuthorityRefused' && note.test(event.note));
    });
  }

  function isSignedBy(found: Awaited<ReturnType<typeof files>>, ca: GivenCa): boolean {
    const [leaf] = certificates(found['tls.crt']);
    return leaf?.verify(new X509Certificate(ca.pem).publicKey) === true;
  }

  it('is waited for, with the reason, and nothing is made in its place', async () => {
    await swarm().createAgent('first', SHORT);
    const refused = await swarm().ready('first', 'AuthorityUnavailable');
    expect(refused.status?.conditions?.find(({ type }) => type === 'Ready')?.message).to.equal(
      'No generation is made, since the one that is given cannot be used. SecretMissing: Secret: it does not exist. Create it, or take authority.secretName out of the values of the chart.',
    );
    expect((await told(/^SecretMissing/)).regarding.name).to.equal(NAME);
    expect(
      await swarm().client.find(SECRET, { namespace: OPERATOR_NAMESPACE, name: 'agent-trust-ca' }),
    ).to.equal(undefined);
  });

  it('signs for agents once it is there: a root', async () => {
    await give({ crt: root.pem, key: root.keyPem });
    await swarm().ready('first', 'Issued');
    expect(isSignedBy(await files('first'), root)).to.equal(true);
    expect(subjects((await files('first'))['tls.crt'])).to.have.length(1);
    expect(subjects((await files('first'))['ca.crt'])).to.deep.equal(['Corporate root']);
    await eventually('OpenSSL to accept it', async () => (await opensslSays('first')) === 'OK');
    await eventually('a bundle that it has signed', () => isBundleSigned('first'));
    await eventually('the state to say so', async () =>
      /^Secret agent-trust-system\/corporate-ca holds generation [0-9a-f]{16}, which is signing\.$/.test(
        (await state())['given'] ?? '',
      ),
    );
  });

  const other = givenCa({ name: 'Other root', key: 'p-384', life: LIFE });
  const upper = givenCa({ name: 'Upper', issuer: other, life: LIFE, basicConstraints: { pathLength: 1 } });
  const lower = givenCa({
    name: 'Lower',
    issuer: upper,
    life: LIFE,
    key: { rsaBits: 2048 },
    basicConstraints: { pathLength: 0 },
    nameConstraints: {
      permitted: [
        [6, 'cluster.local'],
        [2, 'svc'],
        [2, 'cluster.local'],
      ],
    },
  });

  it('rotates when its content changes: to an RSA intermediate below another root, which is trusted before it signs', async () => {
    const seen: string[] = [];
    await give({ crt: lower.pem + upper.pem, ca: other.pem, key: lower.keyPem });
    await eventually('a leaf of the intermediate', async () => {
      const found = await files('first');
      const at = `${subjects(found['tls.crt']).slice(1)} ${subjects(found['ca.crt']).toSorted()}`;
      if (at !== seen.at(-1)) seen.push(at);
      return isSignedBy(found, lower);
    });
    // The old leaf stands beside both roots first, and both roots stay. Before that there may have been time for one more look.
    expect(seen.slice(-2)).to.deep.equal([
      ' Corporate root,Other root',
      'Lower,Upper Corporate root,Other root',
    ]);
    await eventually('OpenSSL to accept it', async () => (await opensslSays('first')) === 'OK');
    await eventually('a bundle that it has signed', () => isBundleSigned('first'));
    await swarm().createAgent('second', SHORT);
    await swarm().ready('second', 'Issued');
    expect(subjects((await files('second'))['tls.crt']).slice(1)).to.deep.equal(['Lower', 'Upper']);
    expect(await opensslSays('second')).to.equal('OK');
  });

  it('has its intermediates put back around the same leaf when somebody takes them out', async () => {
    const before = await files('second');
    const leafPem = certificates(before['tls.crt'])[0]?.toString() ?? '';
    const data = { 'tls.crt': Buffer.from(leafPem).toString('base64') };
    await swarm().client.mergePatch(SECRET, { namespace: AGENTS, name: 'second-tls', patch: { data } });
    await eventually('the whole chain', async () => {
      const found = await files('second');
      return (
        found['tls.crt'] === before['tls.crt'] && found['tls-combined.pem'] === before['tls-combined.pem']
      );
    });
  });

  const bad: Readonly<Record<string, readonly [Parameters<typeof givenSecret>[0], RegExp]>> = {
    'a key of another': [{ crt: root.pem, key: lower.keyPem }, /^KeyMismatch: tls\.key: /],
    'a leaf': [
      (() => {
        const { pem, keyPem } = givenCa({ life: LIFE, basicConstraints: { isAuthority: false } });
        return { crt: pem, key: keyPem };
      })(),
      /^NotAnAuthority: tls\.crt: /,
    ],
    'the one that it has replaced': [{ crt: root.pem, key: root.keyPem }, /^KeyInUse: tls\.key: /],
    garbage: [{ crt: 'garbage', key: 'garbage' }, /^CertificateUnreadable: tls\.crt: /],
  };
  for (const [what, [data, note]] of Object.entries(bad)) {
    it(`stays in use when ${what} is given in its place, and the reason is said`, async () => {
      await give(data);
      expect((await told(note)).note).to.match(/What was in use stays in use$/);
      await eventually('the state to say so', async () =>
        (await state())['given']?.startsWith(`Secret ${OPERATOR_NAMESPACE}/${NAME} is refused: `),
      );
      const name = `during-${Object.keys(bad).indexOf(what)}`;
      await swarm().createAgent(name, SHORT);
      await swarm().ready(name, 'Issued');
      expect(isSignedBy(await files(name), lower)).to.equal(true);
    });
  }

  it('stays in use over a restart of the operator while its Secret is bad', async () => {
    await operator.stop();
    operator = await startOperator({
      controlPlane: controlPlane(),
      flags: [`--namespaces=${AGENTS}`, `--authority-secret=${NAME}`, '--authority-acceleration=600'],
    });
    await swarm().createAgent('third', SHORT);
    await swarm().ready('third', 'Issued');
    expect(isSignedBy(await files('third'), lower)).to.equal(true);
    expect(await opensslSays('third')).to.equal('OK');
  });

  it('does not come back once it was revoked, whatever is asked for then', async () => {
    const authority = new AuthorityProbe(swarm().client);
    const { signing: revoked } = await authority.see();
    const last = givenCa({ name: 'Last root', life: LIFE });
    await give({ crt: last.pem, key: last.keyPem });
    const { signing } = await authority.until('the next one to sign', (seen) => seen.signing !== revoked);
    await authority.ask({ revoke: revoked });
    await authority.until('it to be gone', ({ generations }) => !generations.has(revoked));
    await give({ crt: lower.pem + upper.pem, ca: other.pem, key: lower.keyPem });
    await authority.ask({ revoke: null });
    expect((await told(/^KeyRevoked: tls\.key: /)).note).to.contain(`generation ${revoked}, `);
    expect((await authority.see()).signing).to.equal(signing);
    expect(await authority.kept()).to.not.include(revoked);
  });
});
