import { expect } from 'chai';
import { parseWebhookConfig } from '../../../src/cmd/webhook-config.ts';

describe('parseWebhookConfig', () => {
  it('fills in defaults that work', () => {
    expect(parseWebhookConfig([])).to.deep.equal({
      kind: 'config',
      config: {
        namespaces: [],
        operatorNamespace: undefined,
        clusterDomain: 'cluster.local',
        boundaryRequired: false,
        webhookPort: 8443,
        webhookHost: undefined,
        servingLifeMs: 720 * 3_600_000,
        servingGraceMs: 10_000,
        shutdownDelayMs: 5_000,
        httpPort: 8080,
        httpHost: undefined,
        logLevel: 'info',
        kubeconfig: undefined,
        context: undefined,
        serviceAccountDirectory: undefined,
      },
    });
  });

  it('reports all mistakes at once', () => {
    const flags = ['--webhook-port=70000', '--serving-life=1s', '--serving-grace=x', '--shutdown-delay=1h'];
    expect(parseWebhookConfig(flags)).to.deep.equal({
      kind: 'invalid',
      problems: [
        '--webhook-port must be 0 to 65535',
        '--serving-life must be 6s to 8760h, for example 720h',
        '--serving-grace must be 0s to 1h, for example 10s',
        '--shutdown-delay must be 0s to 10s, for example 5s',
      ],
    });
  });

  it('rejects a life in which there is no time to renew', () => {
    expect(parseWebhookConfig(['--serving-life=59s'])).to.deep.equal({
      kind: 'invalid',
      problems: ['--serving-life must be at least six times --serving-grace, for example 720h and 10s'],
    });
  });
});
