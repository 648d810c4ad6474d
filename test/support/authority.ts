/** What tests see and ask of the authority on a real API server. */

import { X509Certificate } from 'node:crypto';
import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { CONFIG_MAP, EVENT, SECRET } from '../../src/kube/core-types.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { type EventuallyOptions, eventually } from './eventually.ts';
import { AGENTS } from './swarm.ts';

/** A generation, as the state says. */
export interface SeenGeneration {
  readonly phase: 'prepared' | 'signing' | 'retiring';
  readonly preparedAt: string;
  readonly seenSince?: string;
  readonly activatedAt?: string;
  readonly retiringSince?: string;
  readonly taintedAt?: string;
  readonly reissuedAt?: string;
  readonly reissueTotal?: number;
}

/** What is read in one look. */
export interface SeenAuthority {
  readonly texts: Readonly<Record<string, string>>;
  /** By id, oldest first. */
  readonly generations: ReadonlyMap<string, SeenGeneration>;
  /** Id of the one that signs. */
  readonly signing: string;
}

/** A day and a half, in which everything settles within three seconds: nothing is due by itself. */
export const UNHURRIED: readonly string[] = ['--authority-life=8760h', '--authority-acceleration=240'];

const at = (name: string): { readonly namespace: string; readonly name: string } => ({
  namespace: OPERATOR_NAMESPACE,
  name,
});

/** The authority of one cluster. */
export class AuthorityProbe {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /** What the state says; throws while there is none. */
  async see(): Promise<SeenAuthority> {
    const { data: texts = {} } = await this.#client.get<ConfigMap>(
      CONFIG_MAP,
      at('agent-trust-authority-state'),
    );
    const entries = Object.entries(
      JSON.parse(texts['generations'] ?? '{}') as Record<string, SeenGeneration>,
    );
    const signing = entries.find(([, { phase }]) => phase === 'signing')?.[0];
    if (signing === undefined) throw new Error('no generation signs');
    return { texts, generations: new Map(entries), signing };
  }

  /** Waits until the state is as `holds` says. */
  until(
    what: string,
    holds: (seen: SeenAuthority) => boolean,
    options?: EventuallyOptions,
  ): Promise<SeenAuthority> {
    return eventually(
      what,
      async () => {
        const seen = await this.see();
        if (!holds(seen)) throw new Error(JSON.stringify(seen.texts));
        return seen;
      },
      options,
    );
  }

  /** Writes the intent, as an administrator does. */
  async ask(data: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#client.mergePatch(CONFIG_MAP, { ...at('agent-trust-authority'), patch: { data } });
  }

  /** Ids of the generations in the Secret with the keys. */
  async kept(): Promise<readonly string[]> {
    const { data = {} } = await this.#client.get<Secret>(SECRET, at('agent-trust-ca'));
    return Object.keys(data)
      .filter((key) => key.endsWith('.crt'))
      .map((key) => key.slice(0, -'.crt'.length));
  }

  /** Ids of the generations that a text of certificates holds. */
  static idsIn(pem: string): readonly string[] {
    return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []).map(idOf);
  }

  /** Ids in `ca.crt` of the bundle of a namespace. */
  async inBundle(namespace: string = AGENTS): Promise<readonly string[]> {
    const name = 'agent-trust-bundle';
    const bundle = await this.#client.get<ConfigMap>(CONFIG_MAP, { namespace, name });
    return AuthorityProbe.idsIn(bundle.data?.['ca.crt'] ?? '');
  }

  /** Of a Secret of an agent: ids in its `ca.crt`, and the id of the generation that signed its leaf. */
  async inSecret(
    name: string,
    namespace: string = AGENTS,
  ): Promise<{ readonly carries: readonly string[]; readonly signedBy: string }> {
    const { data = {} } = await this.#client.get<Secret>(SECRET, { namespace, name });
    const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
    const leaf = new X509Certificate(text('tls.crt'));
    return {
      carries: AuthorityProbe.idsIn(text('ca.crt')),
      signedBy: /serialNumber=([0-9a-f]{16})/.exec(leaf.issuer)?.[1] ?? '',
    };
  }
}

/** Reason and note of every event in the operator's namespace. */
export async function authorityNotes(client: KubeClient): Promise<readonly string[]> {
  type ShownEvent = KubeObject & { readonly reason: string; readonly note: string };
  const { items } = await client.list<ShownEvent>(EVENT, { namespace: OPERATOR_NAMESPACE });
  return items.map(({ reason, note }) => `${reason}: ${note}`);
}

function idOf(pem: string): string {
  return /serialNumber=([0-9a-f]{16})/.exec(new X509Certificate(pem).subject)?.[1] ?? '';
}
