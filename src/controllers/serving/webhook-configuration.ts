/** The two webhook configurations, as far as they concern whom the API server trusts: only `caBundle` is ever written. */

import type { KubeObject, ObjectMeta, ResourceType } from '../../kube/object.ts';
import type { JsonPatch } from '../../kube/resource-calls.ts';

export const VALIDATING_WEBHOOK_CONFIGURATION: ResourceType = configurationType(
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
);
export const MUTATING_WEBHOOK_CONFIGURATION: ResourceType = configurationType(
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
);

/** A configuration as the API server sends it. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}

/** What is kept of a configuration. */
export interface ConfigurationRecord {
  readonly metadata: Pick<ObjectMeta, 'name' | 'resourceVersion'>;
  /** `caBundle` of each webhook in order, base64; empty where there is none. */
  readonly caBundles: readonly string[];
}

/** Projects a configuration. */
export function configurationRecord({ metadata, webhooks = [] }: WebhookConfiguration): ConfigurationRecord {
  const { name, resourceVersion = '' } = metadata;
  return {
    metadata: { name, resourceVersion },
    caBundles: webhooks.map(({ clientConfig }) => clientConfig.caBundle ?? ''),
  };
}

/**
 * The patch after which every webhook trusts `bundlePem` and nothing else is changed.
 *
 * @returns `undefined` when that is so already. It fails with a conflict when the configuration changed since: then the
 *   places in it may be those of other webhooks.
 */
export function caBundlePatch(
  { metadata, caBundles }: ConfigurationRecord,
  bundlePem: string,
): JsonPatch | undefined {
  const wanted = Buffer.from(bundlePem).toString('base64');
  const changes = caBundles.flatMap((caBundle, at) =>
    caBundle === wanted
      ? []
      : [{ op: 'add' as const, path: `/webhooks/${at}/clientConfig/caBundle`, value: wanted }],
  );
  if (changes.length === 0) return undefined;
  const { resourceVersion } = metadata;
  return [{ op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion }, ...changes];
}

/** Whether every webhook of a configuration takes a server with that certificate. */
export function trusts({ caBundles }: ConfigurationRecord, certificatePem: string): boolean {
  return caBundles.every((caBundle) => Buffer.from(caBundle, 'base64').includes(certificatePem));
}

function configurationType(plural: string, kind: string): ResourceType {
  return { group: 'admissionregistration.k8s.io', version: 'v1', plural, kind, namespaced: false };
}
