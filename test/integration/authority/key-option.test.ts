/** Another kind of key for the authority: taken by the next generation, and by nothing before it. */

import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { readBundleSignature } from '../../../src/crypto/jose/bundle-signature.ts';
import { encodePem } from '../../../src/crypto/pem.ts';
import { CONFIG_MAP, SECRET } from '../../../src/kube/core-types.ts';
import { AuthorityProbe, UNHURRIED } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { openssl, verifyWithCrl } from '../../support/openssl.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

/** Settles within two seconds, and nothing is due by itself. */
const FLAGS = [`--namespaces=${AGENTS}`, ...UNHURRIED];

describe('--authority-key=ECDSA-P384', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator | undefined;
  let authority: AuthorityProbe;

  const start = async (...flags: readonly string[]): Promise<void> => {
    await operator?.stop();
    operator = await startOperator({ controlPlane: controlPlane(), flags: [...FLAGS, ...flags] });
  };
  const newAgent = async (name: string): Promise<string> => {
    await swarm().createAgent(name);
    await swarm().ready(name);
    return (await authority.inSecret(`${name}-tls`)).signedBy;
  };
  const files = async (): Promise<Readonly<Record<string, string>>> => {
    const target = { namespace: AGENTS, name: 'agent-trust-bundle' };
    return (await swarm().client.get<ConfigMap>(CONFIG_MAP, target)).data ?? {};
  };
  const certificate = async (name: string): Promise<string> => {
    const { data = {} } = await swarm().client.get<Secret>(SECRET, { namespace: AGENTS, name });
    return Buffer.from(data['tls.crt'] ?? '', 'base64').toString();
  };
  const described = (pem: string): Promise<string> =>
    openssl(['x509', '-in', 'x.crt', '-noout', '-text'], { 'x.crt': pem });

  before(() => {
    authority = new AuthorityProbe(swarm().client);
  });
  after(() => operator?.stop());

  it('changes nothing about the generation that signs', async () => {
    await start();
    const first = await newAgent('agent-a');
    await start('--authority-key=ECDSA-P384');
    expect(await newAgent('agent-b')).to.equal(first);
    const { generations } = await authority.see();
    expect([...generations.keys()]).to.deep.equal([first]);
    expect(await described(await certificate('agent-b-tls'))).to.contain('ecdsa-with-SHA256');
  });

  it('is the key of the next one, which signs leaves, lists and bundles with SHA-384', async () => {
    const { signing: first } = await authority.see();
    await authority.ask({ rotateBefore: new Date().toISOString() });
    const { signing } = await authority.until('the next one to sign', (seen) => seen.signing !== first);
    expect(await newAgent('agent-c')).to.equal(signing);
    const leaf = await certificate('agent-c-tls');
    expect(await described(leaf))
      .to.contain('ecdsa-with-SHA384')
      .and.contain('NIST CURVE: P-256');
    const { roots, document } = await eventually('a bundle that it has signed', async () => {
      const { 'ca.crt': roots = '', 'bundle.jws': jws = '' } = await files();
      const header = JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString()) as {
        readonly x5c: readonly string[];
      };
      const document = encodePem('CERTIFICATE', Buffer.from(header.x5c[0] ?? '', 'base64'));
      const trust = { rootsPem: roots, trustDomain: 'cluster.local', nowMs: Date.now() };
      expect(readBundleSignature(jws, trust)?.aud).to.equal(AGENTS);
      return new X509Certificate(document).issuer.includes(signing) && { roots, document };
    });
    const own = (roots.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []).find((pem) =>
      AuthorityProbe.idsIn(pem).includes(signing),
    );
    expect(await described(own ?? '')).to.contain('NIST CURVE: P-384');
    expect(await described(document)).to.contain('ecdsa-with-SHA384');
    const { 'ca.crl': crl = '' } = await files();
    for (const signed of [leaf, document, await certificate('agent-a-tls')])
      expect(await verifyWithCrl({ roots, crl, certificate: signed })).to.equal('OK');
  });
});
