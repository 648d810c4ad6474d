import { expect } from 'chai';
import { parseConfig } from '../../../src/cmd/config.ts';

describe('parseConfig', () => {
  it('fills in defaults that work', () => {
    expect(parseConfig([])).to.deep.equal({
      kind: 'config',
      config: {
        namespaces: [],
        operatorNamespace: undefined,
        trustDomain: 'cluster.local',
        clusterDomain: 'cluster.local',
        boundaryRequired: false,
        meshRootNamespace: 'istio-system',
        authorizerProvider: undefined,
        issuers: [],
        workers: 32,
        authority: { lifeMs: 2_592_000_000, acceleration: 1, reissuePerSecond: 20, keySize: 256 },
        authoritySecretName: undefined,
        leaseDurationMs: 15_000,
        renewDeadlineMs: 10_000,
        retryPeriodMs: 2_000,
        httpPort: 8080,
        httpHost: undefined,
        logLevel: 'info',
        kubeconfig: undefined,
        context: undefined,
        serviceAccountDirectory: undefined,
      },
    });
  });

  it('sorts the namespaces and names each once', () => {
    const parsed = parseConfig(['--namespaces=b,a,b']);
    expect(parsed.kind === 'config' && parsed.config.namespaces).to.deep.equal(['a', 'b']);
  });

  it('takes * for every namespace', () => {
    const parsed = parseConfig(['--namespaces=*']);
    expect(parsed.kind === 'config' && parsed.config.namespaces).to.equal('*');
  });

  it('explains every flag on --help', () => {
    const parsed = parseConfig(['--help']);
    expect(parsed.kind === 'help' && parsed.text).to.include('--lease-duration=D');
  });

  it('reports all mistakes at once', () => {
    const flags = [
      '--namespaces=A_b',
      '--workers=0',
      '--lease-duration=1s',
      '--log-level=loud',
      '--http-port=x',
    ];
    const parsed = parseConfig(flags);
    expect(
      parsed.kind === 'invalid' && parsed.problems.map((problem) => problem.split(' ')[0]),
    ).to.deep.equal(['--namespaces', '--workers', '--http-port', '--log-level', '--lease-duration']);
  });

  it('rejects an unknown flag by its name', () => {
    const parsed = parseConfig(['--namespace=a']);
    expect(parsed.kind === 'invalid' && parsed.problems.join()).to.include("Unknown option '--namespace'");
  });

  for (const name of ['Corporate', 'agent-trust-ca', 'agent-trust-webhook-tls', 'a/b']) {
    it(`rejects ${name} as the Secret of an authority that is given`, () => {
      const parsed = parseConfig([`--authority-secret=${name}`]);
      expect(parsed.kind === 'invalid' && parsed.problems).to.deep.equal([
        '--authority-secret must be the name of a Secret, and not agent-trust-ca',
      ]);
    });
  }

  it('takes P-384 for the key of the authority, and no other kind beside P-256', () => {
    const parsed = parseConfig(['--authority-key=ECDSA-P384']);
    expect(parsed.kind === 'config' && parsed.config.authority.keySize).to.equal(384);
    for (const kind of ['RSA-2048', 'ecdsa-p384', 'constructor', '']) {
      const refused = parseConfig([`--authority-key=${kind}`]);
      expect(refused.kind === 'invalid' && refused.problems, kind).to.deep.equal([
        '--authority-key must be ECDSA-P256 or ECDSA-P384',
      ]);
    }
  });

  it('rejects kube-system', () => {
    const parsed = parseConfig(['--namespaces=kube-system']);
    expect(parsed.kind === 'invalid' && parsed.problems).to.deep.equal([
      '--namespaces must not name a kube- namespace: no agents live there',
    ]);
  });
});
