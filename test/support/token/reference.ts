/**
 * Whether a presented token holds, decided as slowly and as plainly as possible, straight from the design: everything is
 * looked at, in no order, and nothing of the real verifier is used.
 */

import { hash } from 'node:crypto';
import type { Peer, TokenRequest } from '../../../src/domain/token/verify/verifier.ts';
import { hasForm, isAgent, type Json } from './reference-form.ts';
import { checkHolder } from './reference-holder.ts';
import { checkAllowed, checkAsked } from './reference-policy.ts';
import {
  canonical,
  capabilitiesOf,
  covers,
  type Hop,
  Invalid,
  isSignedBy,
  jsonObject,
  type Link,
  must,
  strictBase64url,
  type Where,
} from './reference-rules.ts';
import type { Bundle } from './scene.ts';

/** Steps 1 to 16. */
export function isValid(request: TokenRequest, where: Where): boolean {
  try {
    check(request, where);
    return true;
  } catch (error) {
    if (error instanceof Invalid) return false;
    throw error;
  }
}

function check({ fields, method, path, peer, asked }: TokenRequest, where: Where): void {
  const { authorization, dpop, delegationChain } = fields;
  must(authorization.length === 1 && dpop.length <= 1 && delegationChain.length <= 1);
  const lines = [authorization[0] ?? '', dpop[0] ?? '', delegationChain[0] ?? ''];
  must(lines.join('').length <= 12_288 && (dpop[0] ?? '').length <= 4096);
  const [, scheme = '', leafText = ''] = /^([A-Za-z]+) +(.*)$/s.exec(authorization[0] ?? '') ?? [];
  must(['bearer', 'dpop'].includes(scheme.toLowerCase()));
  const parentTexts = delegationChain.length === 0 ? [] : (delegationChain[0] ?? '').split(/[ \t]*,[ \t]*/);
  must(parentTexts.length <= 7);
  const leaf = readLink(leafText, where);
  const parents = parentTexts.map((text) => readLink(text, where));
  const chain = [leaf, ...parents].reverse();
  must(where.nowSeconds < where.bundle.expiresAtSeconds);
  checkLeaf(leaf, where);
  checkChain(chain, where);
  const hops = hopsOf(chain);
  checkAlive(hops, leaf, peer, where);
  checkHolder(leaf, hops, { scheme, proof: dpop[0], method, path, peer }, where);
  checkAllowed(
    chain.map(({ claims }) => claims),
    hops,
    where.bundle,
  );
  if (asked !== undefined) checkAsked(leaf.claims, hops, asked, where.bundle);
}

function readLink(compact: string, { bundle }: Where): Link {
  must(compact.length <= 4096);
  const parts = compact.split('.');
  must(parts.length === 3);
  const [head = '', body = '', tail = ''] = parts;
  const header = jsonObject(strictBase64url(head));
  const claims = jsonObject(strictBase64url(body));
  const signature = strictBase64url(tail);
  must(Object.keys(header).sort().join() === 'alg,kid,typ' && header['typ'] === 'agent-capability+jwt');
  must(hasForm(claims));
  const isService = String(claims['iss']).startsWith('https:');
  checkIssuer(claims, isService);
  checkSignature(
    `${head}.${body}`,
    signature,
    { header, issuer: String(claims['iss']), iat: Number(claims['iat']) },
    bundle,
  );
  return { compact, input: `${head}.${body}`, claims, isService };
}

function checkIssuer(claims: Json, isService: boolean): void {
  const { iss, sub, client_id: presenter, sub_id: user, tctx, del_depth: depth, del_path: path } = claims;
  must(
    ((path as readonly unknown[] | undefined)?.length ?? -1) ===
      (isService && Number(depth) > 1 ? Number(depth) - 1 : -1),
  );
  if (isService) {
    if (isAgent(sub)) must(user === undefined && tctx === undefined);
    else must(user !== undefined && (user as Json)['sub'] === sub);
    return;
  }
  must(iss === presenter);
  if (depth === 1) must(sub === iss && user === undefined && tctx === undefined);
}

function checkSignature(
  input: string,
  signature: Buffer,
  { header, issuer, iat }: { readonly header: Json; readonly issuer: string; readonly iat: number },
  bundle: Bundle,
): void {
  const issuers = bundle.jwks['issuers'] as Record<string, { keys: Json[] }>;
  const key = issuers[issuer]?.keys.find(({ kid }) => kid === header['kid']);
  must(
    key !== undefined &&
      iat >= Number(key['since']) &&
      iat <= Number(key['until'] ?? Number.POSITIVE_INFINITY),
  );
  must(header['alg'] === key['alg'] && isSignedBy(input, signature, key));
}

function checkLeaf({ claims }: Link, { self, nowSeconds }: Where): void {
  const [iat, exp] = [Number(claims['iat']), Number(claims['exp'])];
  must(claims['aud'] === self);
  must(iat <= nowSeconds + 30 && nowSeconds < exp + 30 && exp - iat <= 300);
}

/** Root first. */
function checkChain(chain: readonly Link[], { nowSeconds }: Where): void {
  const [start, ...rest] = chain;
  must(start !== undefined);
  const { del_depth: depth, par_hash: hash, act, client_id: presenter, sub, del_path: path } = start.claims;
  must(depth === 1 ? hash === undefined : start.isService && hash !== undefined);
  must(presenter === sub ? act === undefined : (act as Json | undefined)?.['sub'] === presenter);
  must(depth !== 1 || (act as Json | undefined)?.['act'] === undefined);
  if (isAgent(sub)) must(sub === ((path as readonly Json[] | undefined)?.[0]?.['client_id'] ?? presenter));
  for (const [index, child] of rest.entries()) {
    const parent = chain[index];
    must(parent !== undefined && !child.isService);
    checkLink(child, parent, nowSeconds);
  }
}

function checkLink(child: Link, parent: Link, nowSeconds: number): void {
  const [below, above] = [child.claims, parent.claims];
  must(below['par_hash'] === hash('sha256', parent.input, 'base64url'));
  must(below['iss'] === above['aud'] && Number(below['del_depth']) === Number(above['del_depth']) + 1);
  must(Number(above['iat']) <= Number(below['iat']));
  const act =
    below['client_id'] === below['sub'] ? undefined : { sub: below['client_id'], act: above['act'] };
  must(canonical(below['act']) === canonical(act));
  for (const name of ['sub', 'sub_id', 'tctx', 'txn'])
    must(canonical(below[name]) === canonical(above[name]));
  const until = Number(above['del_exp'] ?? above['exp']);
  must(nowSeconds < until + 30);
  must(
    Number(below['exp']) <= until && (below['del_exp'] === undefined || Number(below['del_exp']) <= until),
  );
  must(Number(below['max_uses'] ?? 1) <= Number(above['max_uses'] ?? 1));
  must(Number(below['del_max_depth']) <= Number(above['del_max_depth']));
  for (const wanted of capabilitiesOf(below))
    must(capabilitiesOf(above).some((held) => covers(held, wanted)));
}

function hopsOf(chain: readonly Link[]): readonly Hop[] {
  const start = chain[0]?.claims ?? {};
  const path = (start['del_path'] ?? []) as readonly Json[];
  const calls = [
    ...path.map((each) => ({ ...each, claims: undefined })),
    ...chain.map(({ claims }) => ({ ...claims, claims })),
  ];
  const froms = calls.map((call) => String((call as Json)['client_id']));
  const last = String(chain.at(-1)?.claims['aud']);
  return calls.map((call, index) => ({
    from: froms[index] ?? '',
    to: froms[index + 1] ?? last,
    jti: String((call as Json)['jti']),
    iat: Number((call as Json)['iat']),
    claims: call.claims,
  }));
}

function checkAlive(
  hops: readonly Hop[],
  { claims }: Link,
  peer: Peer,
  { bundle: { revocations } }: Where,
): void {
  const suspended = revocations['suspended'] as readonly string[];
  const notBefore = revocations['notBefore'] as Readonly<Record<string, number>>;
  const agents = [...hops.map(({ from }) => from), String(claims['aud'])];
  must(!agents.some((agent) => suspended.includes(agent)));
  if ('spiffeId' in peer) must(!suspended.includes(peer.spiffeId));
  must(hops.every(({ from, iat }) => iat > (notBefore[from] ?? -1)));
  for (const each of revocations['revocations'] as readonly Json[]) {
    // Policies are not looked at here: which rule authorises a call is a matter of order, not of membership.
    const before = Number(each['issuedBefore'] ?? Number.POSITIVE_INFINITY);
    const isHit = hops.some(
      ({ iat }, index) =>
        iat <= before + 30 &&
        (each['tokenID'] === undefined ||
          hops.slice(0, index + 1).some(({ jti }) => jti === each['tokenID'])) &&
        (each['transaction'] === undefined || each['transaction'] === claims['txn']) &&
        (each['agent'] === undefined || agents.slice(0, index + 2).includes(String(each['agent']))) &&
        (each['subject'] === undefined || isUserOf(each['subject'] as Json, claims)),
    );
    must(!isHit);
  }
}

function isUserOf(subject: Json, claims: Json): boolean {
  const user = claims['sub_id'] as Json | undefined;
  return user !== undefined && user['iss'] === subject['issuer'] && user['sub'] === subject['name'];
}
