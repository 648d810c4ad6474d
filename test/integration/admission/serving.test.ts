/** The webhook keeps its own certificate and has the API server trust it, while nothing else of ours runs. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ControlPlane } from '../../../hack/control-plane/control-plane.ts';
import { connectWebhook } from '../../../hack/operator/connect-webhook.ts';
import { installChart } from '../../../hack/operator/install-chart.ts';
import { WEBHOOK_CONFIGURATION_NAME } from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { NAMESPACE, SECRET } from '../../../src/kube/core-types.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { AGENTS } from '../../support/swarm.ts';
import { type RunningWebhook, startWebhook, webhookAsked } from '../../support/webhook.ts';
import {
  CONFIGURATION_TYPES,
  configurationOf,
  SERVING_SECRET,
  servingSecretOf,
  trustedPair,
} from '../../support/webhook-certificates.ts';

/** A webhook that the API server asks, installed with these values, with nothing else of ours running. */
function useWebhook(...set: readonly string[]): {
  readonly controlPlane: () => ControlPlane;
  readonly client: () => KubeClient;
  readonly webhook: () => RunningWebhook;
  readonly install: () => Promise<void>;
} {
  const controlPlane = useControlPlane();
  let admin: AdminClient;
  let webhook: RunningWebhook;
  const install = (): Promise<void> => {
    const { kubeconfigPath } = controlPlane();
    return installChart({ kubeconfigPath, namespaces: [AGENTS], admission: 'all', set });
  };
  before(async () => {
    admin = await adminClient(controlPlane());
    await admin.client.create(NAMESPACE, { metadata: { name: AGENTS } });
    await install();
    webhook = await startWebhook({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
    await connectWebhook(controlPlane(), await webhook.port);
  });
  after(async () => {
    await webhook?.stop();
    await admin?.close();
  });
  return { controlPlane, client: () => admin.client, webhook: () => webhook, install };
}

describe('the certificate of the webhook', () => {
  const { controlPlane, client, webhook } = useWebhook();

  it('is made, and trusted, before any controller has run', async () => {
    await webhookAsked(controlPlane());
    const secret = await servingSecretOf(client());
    expect([secret?.type, secret?.metadata.labels, Object.keys(secret?.data ?? {}).sort()]).to.deep.equal([
      'kubernetes.io/tls',
      { 'agenttrust.dev/managed': 'true' },
      ['ca.crt', 'tls.crt', 'tls.key'],
    ]);
    const { facts } = await trustedPair(client());
    expect(facts.current?.dnsNames).to.deep.equal([
      'agent-trust-webhook.agent-trust-system.svc',
      'agent-trust-webhook',
      'agent-trust-webhook.agent-trust-system',
      'agent-trust-webhook.agent-trust-system.svc.cluster.local',
    ]);
  });

  for (const type of CONFIGURATION_TYPES) {
    it(`is put back into the ${type.kind} when somebody takes it away, and nothing else is touched`, async () => {
      const before = await configurationOf(client(), type);
      const path = '/webhooks/0/clientConfig/caBundle';
      await client().jsonPatch(type, {
        name: WEBHOOK_CONFIGURATION_NAME,
        patch: [{ op: 'remove', path }],
      });
      await trustedPair(client());
      await webhookAsked(controlPlane());
      const after = await configurationOf(client(), type);
      const { labels, annotations } = before.metadata;
      expect(after.webhooks).to.deep.equal(before.webhooks);
      expect([after.metadata.labels, after.metadata.annotations]).to.deep.equal([labels, annotations]);
    });
  }

  it('has its end among the metrics, which are those of docs/reference/metrics.md', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/metrics.md'), 'utf8');
    const [, documented = ''] = page.split('## The webhook');
    const metrics = await webhook().registry.getMetricsAsJSON();
    const own = metrics.filter(({ name }) => name.startsWith('agent_trust_'));
    expect([...documented.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)).to.have.members(
      own.map(({ name }) => name),
    );
    const { facts } = await trustedPair(client());
    const shown = own.find(({ name }) => name.includes('not_after'))?.values[0]?.value;
    expect(shown).to.equal((facts.current?.notAfterMs ?? 0) / 1000);
  });

  it('has left no key in the log', async () => {
    const secret = await servingSecretOf(client());
    const key =
      Buffer.from(secret?.data?.['tls.key'] ?? '', 'base64')
        .toString()
        .split('\n')[1] ?? '';
    const log = readFileSync(join(controlPlane().directory, 'webhook.log'), 'utf8');
    expect(log).to.include('serving certificate written');
    expect(log).not.to.include(key).and.not.to.include('PRIVATE KEY');
  });
});

// The policies let nobody but the webhook write what is damaged here.
describe('the certificate of the webhook, without the admission policies', () => {
  const { controlPlane, client, webhook, install } = useWebhook('admissionPolicies.enabled=false');

  async function damage(change: (secret: Secret) => Secret): Promise<void> {
    const secret = await client().get<Secret>(SECRET, SERVING_SECRET);
    await client().replace<Secret>(SECRET, change(secret));
  }

  it('is trusted again after the configurations were deleted and installed anew', async () => {
    for (const type of CONFIGURATION_TYPES) await client().delete(type, { name: WEBHOOK_CONFIGURATION_NAME });
    await install();
    await connectWebhook(controlPlane(), await webhook().port);
    await trustedPair(client());
    await webhookAsked(controlPlane());
  });

  for (const [what, change] of [
    ['its key is destroyed', (data) => ({ ...data, 'tls.key': 'AAAA' })],
    ['its certificate is emptied', (data) => ({ ...data, 'tls.crt': '' })],
    ['all of it is emptied', () => ({ 'tls.crt': '', 'tls.key': '' })],
  ] as readonly (readonly [string, (data: NonNullable<Secret['data']>) => NonNullable<Secret['data']>])[]) {
    it(`is replaced when ${what}`, async () => {
      const { facts } = await trustedPair(client());
      await damage((secret) => ({ ...secret, data: change(secret.data ?? {}) }));
      await trustedPair(client(), facts.current?.fingerprint);
      await webhookAsked(controlPlane());
    });
  }

  it('is replaced when the Secret is deleted, and the one before stays trusted for a while', async () => {
    const { facts } = await trustedPair(client());
    await client().delete(SECRET, SERVING_SECRET);
    const { facts: now } = await trustedPair(client(), facts.current?.fingerprint);
    expect(now.trusted.map(({ fingerprint }) => fingerprint)).to.include(facts.current?.fingerprint);
    await webhookAsked(controlPlane());
  });

  it('is replaced when the Secret is of another type and immutable', async () => {
    const { facts } = await trustedPair(client());
    await client().delete(SECRET, SERVING_SECRET);
    const squatted = { metadata: SERVING_SECRET, type: 'Opaque', immutable: true, data: { x: 'eA==' } };
    await client()
      .create<Secret>(SECRET, squatted)
      .catch(() => {}); // the webhook may be faster
    await trustedPair(client(), facts.current?.fingerprint);
    await eventually('the Secret to be of its type', async () => {
      const secret = await servingSecretOf(client());
      return secret?.type === 'kubernetes.io/tls' && secret.immutable !== true;
    });
    await webhookAsked(controlPlane());
  });
});

describe('a webhook without webhook configurations', () => {
  const controlPlane = useControlPlane();
  let admin: AdminClient;
  let webhook: RunningWebhook;

  before(async () => {
    admin = await adminClient(controlPlane());
    await admin.client.create(NAMESPACE, { metadata: { name: AGENTS } });
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'all',
    });
    for (const type of CONFIGURATION_TYPES)
      await admin.client.delete(type, { name: WEBHOOK_CONFIGURATION_NAME });
    webhook = await startWebhook({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
  });
  after(async () => {
    await webhook?.stop();
    await admin?.close();
  });

  it('makes its certificate, and waits for them', async () => {
    await webhook.port;
    const { facts } = await eventually('the Secret', async () => {
      const secret = await servingSecretOf(admin.client);
      return secret !== undefined && { facts: secret.data };
    });
    expect(Object.keys(facts ?? {}).sort()).to.deep.equal(['ca.crt', 'tls.crt', 'tls.key']);
    await installChart({
      kubeconfigPath: controlPlane().kubeconfigPath,
      namespaces: [AGENTS],
      admission: 'all',
    });
    await connectWebhook(controlPlane(), await webhook.port);
    await trustedPair(admin.client);
    await webhookAsked(controlPlane());
  });
});
