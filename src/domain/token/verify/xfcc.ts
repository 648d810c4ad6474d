/**
 * The peer as a sidecar names it in `X-Forwarded-Client-Cert`. Whoever can reach the port can write that field, so it counts
 * only from the sidecar itself, and of it only the last element, which the sidecar has added.
 *
 * Source: Envoy, HTTP header manipulation, x-forwarded-client-cert.
 */

import { isAgentId } from '../text-forms.ts';
import type { Peer } from './verifier.ts';

const LOOPBACK = /^(?:::ffff:)?127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$|^::1$/;
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

/**
 * Behind the last comma that stands in no value in double quotes. One pass, whatever was sent: where one quote does not end,
 * none after it does.
 */
function lastElement(value: string): string {
  let start = 0;
  for (let at = 0; at < value.length; at++) {
    if (value[at] === ',') start = at + 1;
    if (value[at] !== '"') continue;
    const end = endOfQuote(value, at);
    if (end === undefined) {
      const comma = value.lastIndexOf(',');
      return value.slice(comma > at ? comma + 1 : start).trim();
    }
    at = end;
  }
  return value.slice(start).trim();
}

/** Where the quote ends that begins at `from`; `\"` does not end it. */
function endOfQuote(value: string, from: number): number | undefined {
  for (let at = from + 1; at < value.length; at++) {
    if (value[at] === '"') return at;
    if (value[at] === '\\') at++;
  }
  return undefined;
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
