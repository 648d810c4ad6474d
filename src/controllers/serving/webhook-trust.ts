/** Whom the API server trusts to be our webhook, as both webhook configurations say it. */

import { WEBHOOK_CONFIGURATION_NAME } from '../../api/group.ts';
import { Cache, type CacheOptions } from '../../kube/cache.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import type { TokenBucket } from '../../kube/token-bucket.ts';
import type { Log } from '../../observe/log.ts';
import {
  type ConfigurationRecord,
  caBundlePatch,
  configurationRecord,
  MUTATING_WEBHOOK_CONFIGURATION,
  trusts,
  VALIDATING_WEBHOOK_CONFIGURATION,
  type WebhookConfiguration,
} from './webhook-configuration.ts';

/** What it is made of. */
export interface WebhookTrustOptions {
  /** Client, log, clock and whatever else every cache needs. */
  readonly cache: Pick<CacheOptions<unknown, KubeObject>, 'client' | 'clock' | 'log' | 'timing'>;
  readonly client: KubeClient;
  /** How often a configuration may be written: somebody may take it back each time. */
  readonly writes: TokenBucket;
  readonly log: Log;
}

type ConfigurationCache = Cache<ConfigurationRecord, WebhookConfiguration>;

/** The two configurations. One that does not exist asks nobody, so it needs no trust. */
export class WebhookTrust {
  readonly #options: WebhookTrustOptions;
  readonly #sources: readonly { readonly type: ResourceType; readonly cache: ConfigurationCache }[];

  constructor(options: WebhookTrustOptions) {
    this.#options = options;
    this.#sources = [VALIDATING_WEBHOOK_CONFIGURATION, MUTATING_WEBHOOK_CONFIGURATION].map((type) => {
      const cache: ConfigurationCache = new Cache({
        ...options.cache,
        type,
        fieldSelector: `metadata.name=${WEBHOOK_CONFIGURATION_NAME}`,
        project: configurationRecord,
      });
      return { type, cache };
    });
  }

  /** All of them. */
  caches(): readonly ConfigurationCache[] {
    return this.#sources.map(({ cache }) => cache);
  }

  /** Why the API server would not take a server with that certificate; undefined when it would. */
  problemOf(certificatePem: string): string | undefined {
    for (const { type, cache } of this.#sources) {
      if (!cache.hasSynced) return `the ${type.plural} are not listed yet`;
      const record = cache.get(WEBHOOK_CONFIGURATION_NAME);
      if (record !== undefined && !trusts(record, certificatePem))
        return `the ${type.kind} does not trust the certificate yet`;
    }
    return undefined;
  }

  /** Whether every configuration says exactly that. */
  isExactly(bundlePem: string): boolean {
    return this.#sources.every(({ cache }) => {
      const record = cache.get(WEBHOOK_CONFIGURATION_NAME);
      return cache.hasSynced && (record === undefined || caBundlePatch(record, bundlePem) === undefined);
    });
  }

  /** Reads both anew: what is decided next must not rest on a watch that says nothing any more. */
  async refresh(signal: AbortSignal): Promise<void> {
    for (const { type, cache } of this.#sources) {
      const target = { name: WEBHOOK_CONFIGURATION_NAME };
      const current = await this.#options.client.find<WebhookConfiguration>(type, target, { signal });
      if (current !== undefined) cache.observe(current);
    }
  }

  /**
   * Makes every configuration say exactly that.
   *
   * @returns after how many milliseconds to look again, 0 when something was written; undefined when nothing was to be
   *   done.
   * @throws KubeError, KUBE_CONFLICT when a configuration changed meanwhile.
   */
  async extendTo(bundlePem: string, signal: AbortSignal): Promise<number | undefined> {
    const { client, writes, log } = this.#options;
    let retryInMs: number | undefined;
    for (const { type, cache } of this.#sources) {
      const record = cache.get(WEBHOOK_CONFIGURATION_NAME);
      const patch = record === undefined ? undefined : caBundlePatch(record, bundlePem);
      if (patch === undefined) continue;
      if (!writes.take()) return writes.waitMs();
      const target = { name: WEBHOOK_CONFIGURATION_NAME, patch };
      const written = await client.jsonPatch<WebhookConfiguration>(type, target, { signal });
      cache.observe(written);
      log.info({ kind: type.kind }, 'caBundle written');
      retryInMs = 0;
    }
    return retryInMs;
  }
}
