import { expect } from 'chai';
import { resolveAgentIdentity } from '../../../../src/domain/identity/resolve.ts';

const HOUR_MS = 3_600_000;

describe('resolveAgentIdentity', () => {
  it('fills in everything an empty spec leaves out', () => {
    expect(resolveAgentIdentity('agent-deployer', {})).to.deep.equal({
      serviceAccountName: 'agent-deployer',
      isSuspended: false,
      secretName: 'agent-deployer-tls',
      durationMs: 24 * HOUR_MS,
      renewBeforeMs: undefined,
      keyAlgorithm: 'ECDSA',
      keySize: undefined,
      extraDnsNames: [],
      secretLabels: {},
      secretAnnotations: {},
      signing: {
        secretName: 'agent-deployer-signing',
        algorithm: 'ES256',
        rotationIntervalMs: 24 * HOUR_MS,
      },
      invalidFields: [],
    });
  });

  it('keeps what the author wrote', () => {
    const spec = {
      serviceAccountName: 'deployer-sa',
      suspended: true,
      certificate: {
        secretName: 'tls',
        duration: '1h30m',
        renewBefore: '30m',
        privateKey: { algorithm: 'RSA', size: 3072 },
        dnsNames: ['db.ai-agents.svc'],
        secretTemplate: { labels: { team: 'a' }, annotations: { note: 'b' } },
      },
      signingKey: { secretName: 'keys', algorithm: 'Ed25519', rotationInterval: '720h' },
    };
    expect(resolveAgentIdentity('agent-deployer', spec)).to.deep.equal({
      serviceAccountName: 'deployer-sa',
      isSuspended: true,
      secretName: 'tls',
      durationMs: 1.5 * HOUR_MS,
      renewBeforeMs: 0.5 * HOUR_MS,
      keyAlgorithm: 'RSA',
      keySize: 3072,
      extraDnsNames: ['db.ai-agents.svc'],
      secretLabels: { team: 'a' },
      secretAnnotations: { note: 'b' },
      signing: { secretName: 'keys', algorithm: 'Ed25519', rotationIntervalMs: 720 * HOUR_MS },
      invalidFields: [],
    });
  });

  const rejected = {
    'a duration below 10m': [{ certificate: { duration: '9m59s' } }, 'spec.certificate.duration'],
    'a duration above 168h': [{ certificate: { duration: '168h1s' } }, 'spec.certificate.duration'],
    'a duration that is none': [{ certificate: { duration: 'soon' } }, 'spec.certificate.duration'],
    'a renewBefore below 2m': [{ certificate: { renewBefore: '119s' } }, 'spec.certificate.renewBefore'],
    'a renewBefore as long as the duration': [
      { certificate: { duration: '1h', renewBefore: '60m' } },
      'spec.certificate.renewBefore',
    ],
    'an unknown key algorithm': [
      { certificate: { privateKey: { algorithm: 'DSA' } } },
      'spec.certificate.privateKey',
    ],
    'a size of another algorithm': [
      { certificate: { privateKey: { algorithm: 'ECDSA', size: 2048 } } },
      'spec.certificate.privateKey',
    ],
    'a signing algorithm that is none of ours': [
      { signingKey: { algorithm: 'RS256' } },
      'spec.signingKey.algorithm',
    ],
    'a rotation more often than each hour': [
      { signingKey: { rotationInterval: '59m' } },
      'spec.signingKey.rotationInterval',
    ],
    'a rotation less often than each 30 days': [
      { signingKey: { rotationInterval: '721h' } },
      'spec.signingKey.rotationInterval',
    ],
    'a rotation interval that is none': [
      { signingKey: { rotationInterval: 'daily' } },
      'spec.signingKey.rotationInterval',
    ],
    'one Secret for both keys': [{ signingKey: { secretName: 'a-tls' } }, 'spec.signingKey.secretName'],
    'a label of ours': [
      { certificate: { secretTemplate: { labels: { 'agenttrust.dev/managed': 'true' } } } },
      'spec.certificate.secretTemplate.labels',
    ],
    'an annotation of Kubernetes': [
      { certificate: { secretTemplate: { annotations: { 'app.kubernetes.io/name': 'a' } } } },
      'spec.certificate.secretTemplate.annotations',
    ],
    'the ServiceAccount default': [{ serviceAccountName: 'default' }, 'spec.serviceAccountName'],
  } as const;
  for (const [what, [spec, field]] of Object.entries(rejected)) {
    it(`rejects ${what}, naming the field`, () => {
      const { invalidFields } = resolveAgentIdentity('a', spec);
      expect(invalidFields.map((rule) => rule.split(' ')[0])).to.deep.equal([field]);
    });
  }
});
