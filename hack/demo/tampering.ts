/** Somebody who has the operator's own token, so that admission lets him, lays hands on Secrets and walls, and the time until they are as they should be again. */

import { isDeepStrictEqual } from 'node:util';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { NETWORK_POLICY } from '../../src/controllers/mesh/kinds.ts';
import { meshObjectName } from '../../src/domain/mesh/names.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { EVENT, SECRET } from '../../src/kube/core-types.ts';
import type { KubeEvent } from '../../src/kube/event.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { createAuthority } from '../control-plane/pki.ts';
import { waitUntil } from '../control-plane/wait-until.ts';
import type { Access } from './access.ts';
import { Mismatch } from './mismatch.ts';

/** Who looks, and who lays hands on things. */
export interface Hands extends Pick<Access, 'client'> {
  readonly hands: KubeClient;
}

const TIMEOUT_MS = 15_000;
const INTERVAL_MS = 5;

/**
 * Deletes a Secret.
 *
 * @returns milliseconds until there is one again, with another key.
 * @throws Mismatch when there is none in time, or it has the same key.
 */
export async function deleteSecret(
  { client, hands }: Hands,
  target: { readonly namespace: string; readonly name: string },
): Promise<number> {
  const before = await client.get<Secret>(SECRET, target);
  const startedAtMs = performance.now();
  await hands.delete(SECRET, target);
  let after: Secret | undefined;
  const isBack = async (): Promise<boolean> => {
    after = await client.find<Secret>(SECRET, target);
    return after !== undefined;
  };
  const inTime = await waitUntil(isBack, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS });
  const tookMs = performance.now() - startedAtMs;
  if (!inTime) throw new Mismatch('the Secret to be back', `none after ${TIMEOUT_MS / 1000} s`);
  if (after?.data?.['tls.key'] === before.data?.['tls.key'])
    throw new Mismatch('another key', 'the same key');
  return tookMs;
}

/**
 * Puts the root of somebody else into `ca.crt` of an agent.
 *
 * @returns milliseconds until the right one is back, and what the event about it says.
 * @throws Mismatch when it is not mended in time, or nobody is told.
 */
export async function alterBundle(
  { client, hands }: Hands,
  { namespace, agent }: { readonly namespace: string; readonly agent: string },
): Promise<{ readonly tookMs: number; readonly event: string }> {
  const target = { namespace, name: `${agent}-tls` };
  const before = await client.get<Secret>(SECRET, target);
  const foreign = Buffer.from(createAuthority('somebody else').certificate).toString('base64');
  const startedAtMs = performance.now();
  await hands.replace(SECRET, { ...before, data: { ...before.data, 'ca.crt': foreign } });
  const isMended = async (): Promise<boolean> => {
    const { data } = await client.get<Secret>(SECRET, target);
    return data?.['ca.crt'] === before.data?.['ca.crt'];
  };
  const inTime = await waitUntil(isMended, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS });
  const tookMs = performance.now() - startedAtMs;
  if (!inTime) throw new Mismatch('ca.crt to be mended', `the foreign root after ${TIMEOUT_MS / 1000} s`);
  return { tookMs, event: await eventAbout(client, { namespace, agent }) };
}

/**
 * Opens the NetworkPolicy of an agent to everybody.
 *
 * @returns milliseconds until it lets in nobody but the callers again.
 * @throws Mismatch when it does not in time.
 */
export async function openWall(
  { client, hands }: Hands,
  { namespace, agent }: { readonly namespace: string; readonly agent: string },
): Promise<number> {
  const target = { namespace, name: meshObjectName('net', { namespace, name: agent }) };
  const before = await client.get<NetworkPolicy>(NETWORK_POLICY, target);
  const startedAtMs = performance.now();
  await hands.replace(NETWORK_POLICY, { ...before, spec: { ...before.spec, ingress: [{}] } });
  const isClosed = async (): Promise<boolean> => {
    const { spec } = await client.get<NetworkPolicy>(NETWORK_POLICY, target);
    return isDeepStrictEqual(spec, before.spec);
  };
  const inTime = await waitUntil(isClosed, { timeoutMs: TIMEOUT_MS, intervalMs: INTERVAL_MS });
  if (!inTime)
    throw new Mismatch('the NetworkPolicy to be as before', `it is open after ${TIMEOUT_MS / 1000} s`);
  return performance.now() - startedAtMs;
}

interface NetworkPolicy extends KubeObject {
  readonly spec?: object;
}

async function eventAbout(
  client: KubeClient,
  { namespace, agent }: { readonly namespace: string; readonly agent: string },
): Promise<string> {
  let note: string | undefined;
  const isTold = async (): Promise<boolean> => {
    const { items } = await client.list<KubeEvent>(EVENT, { namespace });
    const about = items.find(({ regarding, reason, note: text }) => {
      return regarding.name === agent && reason === 'Repaired' && text.includes('ca.crt');
    });
    note = about?.note;
    return note !== undefined;
  };
  await waitUntil(isTold, { timeoutMs: TIMEOUT_MS });
  if (note === undefined) throw new Mismatch(`an event Repaired about ${agent}`, 'none');
  return note;
}
