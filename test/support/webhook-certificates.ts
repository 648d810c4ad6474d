/** What the Secret of the webhook and the webhook configurations say, for tests. */

import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import { WEBHOOK_CONFIGURATION_NAME, WEBHOOK_SECRET_NAME } from '../../src/api/group.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import {
  type ServingRecord,
  servingRecord,
  trustBundle,
} from '../../src/controllers/serving/serving-record.ts';
import {
  MUTATING_WEBHOOK_CONFIGURATION,
  VALIDATING_WEBHOOK_CONFIGURATION,
  type WebhookConfiguration,
} from '../../src/controllers/serving/webhook-configuration.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { SECRET } from '../../src/kube/core-types.ts';
import { eventually } from './eventually.ts';

/** Where the Secret is. */
export const SERVING_SECRET: { readonly namespace: string; readonly name: string } = {
  namespace: OPERATOR_NAMESPACE,
  name: WEBHOOK_SECRET_NAME,
};

/** Both kinds of configurations. */
export const CONFIGURATION_TYPES: readonly (typeof VALIDATING_WEBHOOK_CONFIGURATION)[] = [
  VALIDATING_WEBHOOK_CONFIGURATION,
  MUTATING_WEBHOOK_CONFIGURATION,
];

/** The Secret as it is on the server, or undefined. */
export function servingSecretOf(client: KubeClient): Promise<Secret | undefined> {
  return client.find<Secret>(SECRET, SERVING_SECRET);
}

/** A configuration as it is on the server. */
export function configurationOf(
  client: KubeClient,
  type: (typeof CONFIGURATION_TYPES)[number],
): Promise<WebhookConfiguration> {
  return client.get<WebhookConfiguration>(type, { name: WEBHOOK_CONFIGURATION_NAME });
}

/** Waits until the Secret holds a pair, other than `before`, and every webhook trusts exactly what the Secret says. */
export function trustedPair(client: KubeClient, before?: string): Promise<ServingRecord> {
  return eventually('a certificate that every webhook trusts', async () => {
    const secret = await servingSecretOf(client);
    const record = secret === undefined ? undefined : servingRecord(secret);
    const fingerprint = record?.facts.current?.fingerprint;
    if (record === undefined || fingerprint === undefined || fingerprint === before) return false;
    const wanted = Buffer.from(trustBundle(record.facts.trusted)).toString('base64');
    const bundles = await Promise.all(CONFIGURATION_TYPES.map((type) => caBundlesOf(client, type)));
    return bundles.flat().every((bundle) => bundle === wanted) && record;
  });
}

async function caBundlesOf(
  client: KubeClient,
  type: (typeof CONFIGURATION_TYPES)[number],
): Promise<readonly (string | undefined)[]> {
  const { webhooks = [] } = await configurationOf(client, type);
  return webhooks.map(({ clientConfig }) => clientConfig.caBundle);
}
