/**
 * The peer as a sidecar names it in `X-Forwarded-Client-Cert`. Whoever can reach the port can write that field, so it counts
 * only from the sidecar itself, and of it only the last element, which the sidecar has added.
 *
 * Source: Envoy, HTTP header manipulation, x-forwarded-client-cert.
 */

import { isAgentId } from '../text-forms.ts';
import type { Peer } from './verifier.ts';

const LOOPBACK = /^(?:::ffff:)?127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$|^::1$/;
/** Of a value in double quotes only the end matters; `\"` does not end it. */
const ELEMENT_END = /"(?:[^"\\]|\\.)*"|,/g;
const PAIR = /([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(?:;|$)/y;

/**
 * The peer behind a sidecar.
 *
 * @param values One for each field line.
 * @param remoteAddress Of the connection, which a sidecar makes from a loopback address.
 * @returns The peer; `untrusted` when the field comes from elsewhere, is missing, or its last element is not of its form or
 *   does not name exactly one agent. Its `Hash` is that of the mesh's certificate and of no use here. Errors: none.
 */
export function peerFromXfcc(values: readonly string[], remoteAddress: string): Peer {
  if (!LOOPBACK.test(remoteAddress)) return { kind: 'untrusted' };
  const uris = urisOf(lastElement(values.join(',')));
  const [spiffeId] = uris;
  return spiffeId !== undefined && uris.length === 1 && isAgentId(spiffeId)
    ? { kind: 'mesh', spiffeId }
    : { kind: 'untrusted' };
}

function lastElement(value: string): string {
  const comma = [...value.matchAll(ELEMENT_END)].findLast(([match]) => match === ',');
  return value.slice(comma === undefined ? 0 : comma.index + 1).trim();
}

/** Empty when the element is not of its form. */
function urisOf(element: string): readonly string[] {
  const uris: string[] = [];
  for (PAIR.lastIndex = 0; PAIR.lastIndex < element.length; ) {
    const [pair, key = '', value = ''] = PAIR.exec(element) ?? [];
    if (pair === undefined) return [];
    if (key.toLowerCase() === 'uri') uris.push(value.replace(/^"(.*)"$/, '$1'));
  }
  return uris;
}
