/** The authority as an administrator sees it: its state, what he asks for, and where its certificates are. */

import { X509Certificate } from 'node:crypto';
import { AUTHORITY_INTENT_NAME, AUTHORITY_STATE_NAME, BUNDLE_NAME } from '../../src/api/group.ts';
import { stateRecord } from '../../src/controllers/authority/state-object.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import type { GenerationState } from '../../src/domain/authority/facts.ts';
import { CONFIG_MAP, SECRET } from '../../src/kube/core-types.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import { OPERATOR_NAMESPACE } from '../operator/install-chart.ts';
import type { Access } from './access.ts';
import { Mismatch } from './mismatch.ts';

/** What ConfigMap agent-trust-authority-state says. */
export interface SeenAuthority {
  /** Oldest first. */
  readonly generations: readonly GenerationState[];
  /** What the next step waits for. */
  readonly message: string;
}

/** What agents hold, in the cluster. */
export interface Holders {
  readonly namespace: string;
  readonly agents: readonly string[];
}

/** `ask` of an intent: keys of ConfigMap agent-trust-authority, null for one that is taken out. */
export type Intent = Readonly<Record<string, string | null>>;

const TIMEOUT_MS = 30_000;
const INTERVAL_MS = 50;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Writes what an administrator asks for. @returns the command, as he types it. */
export async function ask(access: Access, intent: Intent): Promise<string> {
  const patch = JSON.stringify({ data: intent });
  const words = [
    'patch',
    'configmap',
    AUTHORITY_INTENT_NAME,
    '-n',
    OPERATOR_NAMESPACE,
    '--type',
    'merge',
    '-p',
  ];
  await access.kubectl([...words, patch]);
  return `kubectl ${words.join(' ')} '${patch}'`;
}

/** Waits until the state is as `holds` says. @throws Mismatch with what the operator says when it is not in time. */
export async function authorityWhen(
  { client }: Pick<Access, 'client'>,
  expected: string,
  holds: (seen: SeenAuthority) => boolean,
): Promise<SeenAuthority> {
  let seen: SeenAuthority = { generations: [], message: '' };
  const isSo = async (): Promise<boolean> => {
    const target = { namespace: OPERATOR_NAMESPACE, name: AUTHORITY_STATE_NAME };
    const { states = [], texts } = stateRecord(await client.get<ConfigMap>(CONFIG_MAP, target));
    seen = { generations: states, message: texts['message'] ?? '' };
    return holds(seen);
  };
  if (await waitUntil(isSo, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS })) return seen;
  throw new Mismatch(expected, seen.message);
}

/** Waits until ca.crt of the bundle and of every agent's Secret holds exactly these generations, in any order. */
export async function carriedEverywhere(
  { client }: Pick<Access, 'client'>,
  { namespace, agents }: Holders,
  generations: readonly string[],
): Promise<void> {
  const wanted = generations.toSorted().join();
  let lacking: readonly string[] = [];
  const isCarried = async (): Promise<boolean> => {
    const bundle = await client.get<ConfigMap>(CONFIG_MAP, { namespace, name: BUNDLE_NAME });
    const carried: [holder: string, pem: string][] = [['the bundle', bundle.data?.['ca.crt'] ?? '']];
    for (const agent of agents) {
      const { data } = await client.get<Secret>(SECRET, { namespace, name: `${agent}-tls` });
      carried.push([`the Secret of ${agent}`, Buffer.from(data?.['ca.crt'] ?? '', 'base64').toString()]);
    }
    lacking = carried.filter(([, pem]) => rootsIn(pem).toSorted().join() !== wanted).map(([name]) => name);
    return lacking.length === 0;
  };
  if (!(await waitUntil(isCarried, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS })))
    throw new Mismatch(`ca.crt with ${generations.join(' and ')} everywhere`, `not in ${lacking.join(', ')}`);
}

/** Ids of the generations that have signed the certificates in the agents' Secrets. */
export async function signersOf(
  { client }: Pick<Access, 'client'>,
  { namespace, agents }: Holders,
): Promise<readonly string[]> {
  const secrets = agents.map((agent) => client.get<Secret>(SECRET, { namespace, name: `${agent}-tls` }));
  const pems = (await Promise.all(secrets)).map(({ data }) => data?.['tls.crt'] ?? '');
  return pems.map((base64) => signerOf(Buffer.from(base64, 'base64').toString()));
}

/** Ids of the generations whose certificates a text holds. */
function rootsIn(pem: string): readonly string[] {
  return (pem.match(CERTIFICATE) ?? []).map((each) => idIn(new X509Certificate(each).subject));
}

/** Id of the generation that signed a certificate. */
export function signerOf(pem: string): string {
  return idIn(new X509Certificate(pem).issuer);
}

function idIn(name: string): string {
  return /^serialNumber=([0-9a-f]{16})$/m.exec(name)?.[1] ?? '';
}
