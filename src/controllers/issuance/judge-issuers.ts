/** Which CAs of which issuers are remembered, may sign, and are trusted. */

import type { AuthorityCertificate } from '../../crypto/authority-reader.ts';
import { type IssuerRef, parseIssuerId } from '../../domain/issuance/issuer.ts';
import { judgeIssuerCA } from '../../domain/issuance/trust.ts';
import type { KeptCA, KeptCAs, ListedIssuer } from './issuer-state.ts';

/** What it follows from. */
export interface IssuersInput {
  /** By their ids. */
  readonly listed: ReadonlyMap<string, ListedIssuer>;
  /** As they were judged before, or read. */
  readonly remembered: KeptCAs;
  readonly isFenced: (issuer: IssuerRef) => boolean;
  /** When the last leaf of each CA ends, by the ledger. */
  readonly lastEndsAtMs: ReadonlyMap<string, number>;
  readonly nowMs: number;
  readonly isClockTrusted: boolean;
  readonly graceMs: number;
}

/** A clock that is not trusted is looked at again. */
const CLOCK_RECHECK_MS = 30_000;

/** Judges all; `nextMs` is when to judge again, infinity when something has to change first. */
export function judgeIssuers(input: IssuersInput): { readonly kept: KeptCAs; readonly nextMs: number } {
  let nextMs = Number.POSITIVE_INFINITY;
  const kept = new Map<string, readonly KeptCA[]>();
  for (const id of new Set([...input.listed.keys(), ...input.remembered.keys()])) {
    const judged = judgeIssuer(input, id);
    nextMs = Math.min(nextMs, ...judged.map((each) => each.nextMs));
    const cas = judged.map(({ nextMs: _, ...ca }) => ca);
    if (cas.length > 0) kept.set(id, cas);
  }
  return { kept, nextMs };
}

function judgeIssuer(
  { listed, remembered, isFenced, lastEndsAtMs, nowMs, isClockTrusted, graceMs }: IssuersInput,
  id: string,
): readonly (KeptCA & { readonly nextMs: number })[] {
  const issuer = listed.get(id) ?? parseIssuerId(id);
  if (issuer === undefined) return [];
  const { certificates = [], isFormer = true } = listed.get(id) ?? {};
  const before = remembered.get(id) ?? [];
  const all = [...certificates, ...before.map(({ certificate }) => certificate)];
  return all
    .filter((certificate, at) => all.findIndex((each) => isSameCA(each, certificate)) === at)
    .flatMap((certificate) => {
      const isNamed = certificates.length === 0 || certificates.some((each) => isSameCA(each, certificate));
      const isCurrent = !isFormer && isNamed;
      const known = before.find((each) => isSameCA(each.certificate, certificate));
      const trust = judgeIssuerCA(
        {
          isCurrent,
          isFenced: isFenced(issuer),
          lastLeafEndsAtMs:
            isClockTrusted || known === undefined
              ? lastEndsAtMs.get(certificate.id)
              : nowMs + CLOCK_RECHECK_MS,
          sinceMs: known?.sinceMs,
          unfencedSinceMs: known?.unfencedSinceMs,
        },
        { nowMs, graceMs },
      );
      if (trust.kind === 'forgotten') return [];
      const { kind, ...since } = trust;
      return [{ certificate, isCurrent, isTrusted: kind === 'trusted', ...since }];
    });
}

/** Whether two are the same certificate. */
export function isSameCA(left: AuthorityCertificate, right: AuthorityCertificate): boolean {
  return left.certificate.raw.equals(right.certificate.raw);
}
