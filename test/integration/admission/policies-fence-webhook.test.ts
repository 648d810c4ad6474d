/** What the webhook may not write, with every right of RBAC: what its token is worth to a thief. */

import { readFileSync } from 'node:fs';
import { installChart, OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import { create, mergePatch, type Request, remove } from '../../support/admission/request.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { AGENTS } from '../../support/swarm.ts';
import { usePoliciesWorld, WEBHOOK } from './policies-world.ts';

const TLS = 'kubernetes.io/tls';
const TOKEN = 'kubernetes.io/service-account-token';

describe('the fence around the webhook', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane);

  before(async () => {
    const { kubeconfigPath } = controlPlane();
    await installChart({ kubeconfigPath, namespaces: [AGENTS], admission: 'all' });
  });

  it('accepts its certificate, and no other Secret', async () => {
    const secret = (metadata: object, type = TLS): Request =>
      create({
        kind: 'Secret',
        metadata: { name: 'agent-trust-webhook-tls', namespace: OPERATOR_NAMESPACE, ...metadata },
        type,
        data: { 'tls.crt': '', 'tls.key': '' },
      });
    const rejection = {
      policy: 'fence-webhook-secret',
      says: 'the webhook of agent-trust writes Secret agent-trust-webhook-tls of type kubernetes.io/tls in its own namespace, and no other',
    };
    await world().accepts(secret({}), WEBHOOK);
    await world().rejects(secret({}, 'Opaque'), WEBHOOK, rejection);
    await world().rejects(secret({ name: 'another' }), WEBHOOK, rejection);
    await world().rejects(secret({ namespace: AGENTS }), WEBHOOK, rejection);
    const annotations = { 'kubernetes.io/service-account.name': 'agent-trust-controller' };
    await world().rejects(secret({ annotations }, TOKEN), WEBHOOK, rejection);
  });

  const FIELDS: Readonly<Record<string, unknown>> = {
    name: 'another.agenttrust.dev',
    rules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*'] }],
    failurePolicy: 'Ignore',
    matchPolicy: 'Exact',
    namespaceSelector: {},
    objectSelector: { matchLabels: { a: 'b' } },
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds: 30,
    matchConditions: [{ name: 'never', expression: 'false' }],
  };
  for (const [kind, more] of [
    ['ValidatingWebhookConfiguration', {}],
    ['MutatingWebhookConfiguration', { reinvocationPolicy: 'Never' }],
  ] as const) {
    const policy = kind.startsWith('Validating') ? 'fence-webhook-validating' : 'fence-webhook-mutating';
    const target = { kind, name: 'agent-trust' };
    const change = (path: string, value: unknown): Request => ({
      verb: 'JSON patch',
      target,
      body: [{ op: 'add', path, value }],
    });
    const rejection = (where: string) => ({
      policy,
      says: `${where}: the webhook of agent-trust writes the caBundle of its configurations, and nothing else`,
    });

    it(`accepts the caBundle of ${kind} agent-trust`, () =>
      world().accepts(
        change('/webhooks/0/clientConfig/caBundle', readFileSync(controlPlane().caPath, 'base64')),
        WEBHOOK,
      ));

    it(`rejects every other field of ${kind} agent-trust`, async () => {
      for (const [field, value] of Object.entries({ ...FIELDS, ...more })) {
        await world().rejects(change(`/webhooks/0/${field}`, value), WEBHOOK, rejection('webhooks'));
      }
      await world().rejects(
        change('/webhooks/0/clientConfig/service/name', 'another'),
        WEBHOOK,
        rejection('webhooks'),
      );
      await world().rejects(
        change('/webhooks/0/clientConfig', { url: 'https://example.org/x' }),
        WEBHOOK,
        rejection('webhooks'),
      );
      await world().rejects(change('/webhooks', []), WEBHOOK, rejection('webhooks'));
      for (const [field, value] of [
        ['labels', {}],
        ['annotations', { 'helm.sh/resource-policy': 'keep' }],
        ['finalizers', ['example.org/x']],
        ['ownerReferences', [{ apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: 'x' }]],
      ] as const) {
        await world().rejects(change(`/metadata/${field}`, value), WEBHOOK, rejection('metadata'));
      }
    });

    it(`rejects every other ${kind}, and deleting this one`, async () => {
      const others = {
        policy,
        says: 'the webhook of agent-trust updates the webhook configurations called agent-trust, and no others',
      };
      await world().rejects(create({ kind, metadata: { name: 'another' } }), WEBHOOK, others);
      await world().rejects(remove(target), WEBHOOK, others);
      await world().create([{ kind, metadata: { name: `of-others-${policy}` } }]);
      await world().rejects(
        mergePatch({ kind, name: `of-others-${policy}` }, { metadata: { labels: { a: 'b' } } }),
        WEBHOOK,
        others,
      );
    });
  }
});
