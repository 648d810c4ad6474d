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
        workers: 32,
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

  it('rejects kube-system', () => {
    const parsed = parseConfig(['--namespaces=kube-system']);
    expect(parsed.kind === 'invalid' && parsed.problems).to.deep.equal([
      '--namespaces must not name a kube- namespace: no agents live there',
    ]);
  });
});
