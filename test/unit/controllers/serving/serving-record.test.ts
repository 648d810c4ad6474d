import { expect } from 'chai';
import {
  type ServingRecord,
  servingRecord,
  servingSecret,
  trustBundle,
} from '../../../../src/controllers/serving/serving-record.ts';
import { createServingCertificate, readTrusted } from '../../../../src/crypto/serving-certificate.ts';

const NOW = Date.UTC(2026, 0, 1);
const request = { commonName: 'hook', dnsNames: ['hook.system.svc'], nowMs: NOW, lifeMs: 3_600_000 };
const current = createServingCertificate(request);
const next = createServingCertificate({ ...request, nowMs: NOW + 60_000 });
const certificateOf = ({ certificatePem }: { readonly certificatePem: string }) =>
  readTrusted(Buffer.from(certificatePem))[0];
const trusted = [current, next].map(certificateOf).filter((each) => each !== undefined);

describe('servingSecret and servingRecord', () => {
  const secret = servingSecret('system', { current, next, trusted });

  it('read what the other has written', () => {
    const expected: ServingRecord = {
      metadata: {
        name: 'agent-trust-webhook-tls',
        namespace: 'system',
        labels: { 'agenttrust.dev/managed': 'true' },
      },
      mustRecreate: false,
      facts: { current: certificateOf(current), next: certificateOf(next), trusted: trusted.toReversed() },
      current,
      next,
    };
    expect(servingRecord(secret)).to.deep.equal(expected);
  });

  it('leave out what is not staged', () => {
    expect(
      Object.keys(servingSecret('system', { current, next: undefined, trusted }).data ?? {}),
    ).to.deep.equal(['tls.crt', 'tls.key', 'ca.crt']);
  });

  it('take a Secret of another type, or an immutable one, for one that must be made anew', () => {
    expect([
      servingRecord({ ...secret, type: 'Opaque' }).mustRecreate,
      servingRecord({ ...secret, immutable: true }).mustRecreate,
    ]).to.deep.equal([true, true]);
  });

  it('find nothing to serve in garbage', () => {
    const { facts } = servingRecord({
      ...secret,
      data: { 'tls.crt': 'AAAA', 'next.key': '%%', 'ca.crt': 'x' },
    });
    expect(facts).to.deep.equal({ current: undefined, next: undefined, trusted: [] });
  });
});

describe('trustBundle', () => {
  it('is the same text whatever the order', () => {
    expect(trustBundle(trusted)).to.equal(trustBundle(trusted.toReversed()));
    expect(trustBundle(trusted)).to.equal(next.certificatePem + current.certificatePem);
  });
});
