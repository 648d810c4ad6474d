import { expect } from 'chai';
import { unservedFields } from '../../../../src/domain/identity/unserved.ts';

/** What the API server stores for `spec: {}`. */
const DEFAULTED = {
  certificate: { duration: '24h', privateKey: { algorithm: 'ECDSA' } },
  enforcement: 'Enforce',
  server: { port: 8443, replay: 'Memory', verifier: 'SDK' },
  signingKey: { algorithm: 'ES256', rotationInterval: '24h' },
  tokens: { binding: 'Auto', maxChildren: 16, maxTTL: '5m', maxUses: 5, originate: 'Auto' },
};

describe('unservedFields', () => {
  it('accepts what the API server fills in by itself', () => {
    expect(unservedFields(DEFAULTED)).to.deep.equal([]);
  });

  it('accepts the ceiling and the consent, which only limit', () => {
    const spec = { ...DEFAULTED, capabilities: [{ name: 'kubectl_get' }], acceptFrom: [{ namespace: 'a' }] };
    expect(unservedFields(spec)).to.deep.equal([]);
  });

  it('accepts every setting of tokens, extra DNS names and a shared store', () => {
    const spec = {
      certificate: { ...DEFAULTED.certificate, dnsNames: ['a.ai.svc'] },
      server: { ...DEFAULTED.server, replay: 'Shared' },
      tokens: { binding: 'Key', maxChildren: 2, maxTTL: '30s', maxUses: 1, originate: 'Never' },
    };
    expect(unservedFields(spec)).to.deep.equal([]);
  });

  it('accepts an empty list as absent', () => {
    expect(unservedFields({ ...DEFAULTED, callers: [] })).to.deep.equal([]);
  });

  it('rejects every switch that would do nothing, all at once', () => {
    const spec = {
      ...DEFAULTED,
      server: { ...DEFAULTED.server, mcp: { path: '/mcp', tools: [{ name: 'queryDatabase' }] } },
      quarantine: { afterRefusals: 3 },
    };
    expect(unservedFields(spec)).to.deep.equal(['spec.server.mcp.tools', 'spec.quarantine']);
  });
});
