/**
 * The audit of a cluster: compares what should be with what is, and with what has been. Pure; `auditor.ts` finds the
 * facts.
 */

import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { ANNOTATION_CLOSED, ANNOTATION_OWNER_UID, BUNDLE_NAME, LABEL_MANAGED } from '../../src/api/group.ts';
import { type ConfigMap, digestsOf, isSameFiles } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import { readBundleSignature } from '../../src/crypto/jose/bundle-signature.ts';
import { SIGNATURE_FILE } from '../../src/domain/bundle/files.ts';
import { type LedgerLine, LINES_PER_LEDGER, parseLedgerLine } from '../../src/domain/ledger/ledger-line.ts';
import {
  auditIdentity,
  certificatesOf,
  leafOf,
  secretNameOf,
  serialOf,
  serviceAccountOf,
  signingSecretNameOf,
} from './audit-identity.ts';
import { textOf, wrong } from './audit-secret.ts';

/** A cluster at one moment. Everything of the governed namespaces, and the state of the operator. */
export interface ClusterFacts {
  readonly namespaces: readonly string[];
  readonly trustDomain: string;
  readonly nowMs: number;
  readonly identities: readonly AgentIdentity[];
  /** `<namespace>/<name>`. */
  readonly serviceAccounts: ReadonlySet<string>;
  readonly secrets: readonly Secret[];
  /** ConfigMaps with the name of the trust bundle. */
  readonly bundles: readonly ConfigMap[];
  readonly authority: Secret | undefined;
  readonly ledgers: readonly ConfigMap[];
}

/** What became of one Secret since the audit began. */
export interface SecretHistory {
  /** `<namespace>/<name>`. */
  readonly secret: string;
  /** How often its content became another one. */
  readonly changes: number;
  /** How often somebody gave a reason for that. */
  readonly reasons: number;
  /** Serial numbers of leaves that came back after the Secret had been gone. */
  readonly returned: readonly string[];
}

/** What has been. */
export interface ClusterHistory {
  /** UIDs of the identities by serial numbers of the leaves that were ever in a Secret. */
  readonly leaves: ReadonlyMap<string, string>;
  /** Number of writes whose answers were lost, by UID of the identity that they were for. */
  readonly lost: ReadonlyMap<string, number>;
  readonly secrets: readonly SecretHistory[];
}

/** Everything that is wrong, in the order of the objects; empty when nothing is. */
export function audit(facts: ClusterFacts, history: ClusterHistory): readonly string[] {
  const lines = facts.ledgers.flatMap(linesOf);
  return [
    ...authorityChecks(facts),
    ...facts.identities.flatMap((identity) => identityChecks(facts, identity)),
    ...facts.identities.flatMap((identity) => lineOfLeaf(facts, identity, lines)),
    ...facts.secrets.flatMap((secret) => orphan(facts, secret)),
    ...facts.namespaces.flatMap((namespace) => bundleChecks(facts, namespace)),
    ...ledgerChecks(facts.ledgers),
    ...lineChecks(lines, history),
    ...history.secrets.flatMap(secretHistory),
  ];
}

function authorityChecks({ authority }: ClusterFacts): readonly string[] {
  return certificatesOf(authorityPem(authority) ?? '').length > 0 ? [] : ['there is no authority'];
}

function identityChecks(facts: ClusterFacts, identity: AgentIdentity): readonly string[] {
  const { name, namespace } = identity.metadata;
  const violations = auditIdentity(identity, {
    trustDomain: facts.trustDomain,
    nowMs: facts.nowMs,
    authorityPem: authorityPem(facts.authority),
    serviceAccountExists: facts.serviceAccounts.has(`${namespace}/${serviceAccountOf(identity)}`),
    secrets: facts.secrets.filter((secret) => isOf(secret, identity)),
  });
  return violations.map((violation) => `${namespace}/${name}: ${violation}`);
}

function isOf({ metadata }: Secret, identity: AgentIdentity): boolean {
  const { namespace, uid } = identity.metadata;
  const isOwned = metadata.annotations?.[ANNOTATION_OWNER_UID] === uid;
  const names = [secretNameOf(identity), signingSecretNameOf(identity)];
  return metadata.namespace === namespace && (isOwned || names.includes(metadata.name));
}

/** A leaf that is in use stands in the ledger once, as it is. */
function lineOfLeaf(
  { secrets }: ClusterFacts,
  identity: AgentIdentity,
  lines: readonly (LedgerLine | undefined)[],
): readonly string[] {
  return secrets
    .filter((secret) => isOf(secret, identity))
    .flatMap((secret) => {
      const leaf = leafOf(secret);
      if (leaf === undefined) return [];
      const own = lines.filter((line) => line?.serialHex === serialOf(leaf));
      const [line] = own;
      const isTrue =
        line?.identityUid === identity.metadata.uid &&
        line.namespace === identity.metadata.namespace &&
        line.serviceAccountName === serviceAccountOf(identity) &&
        line.notAfterMs === leaf.validToDate.getTime();
      const { namespace, name } = identity.metadata;
      return wrong([
        [own.length === 1, `${namespace}/${name}: its leaf stands in the ledger ${own.length} times`],
        [own.length === 0 || isTrue, `${namespace}/${name}: its line in the ledger is about something else`],
      ]);
    });
}

function orphan({ identities }: ClusterFacts, { metadata }: Secret): readonly string[] {
  if (metadata.labels?.[LABEL_MANAGED] !== 'true') return [];
  const owner = metadata.annotations?.[ANNOTATION_OWNER_UID];
  const isAlive = identities.some(({ metadata: { uid } }) => uid === owner);
  return isAlive ? [] : [`Secret ${metadata.namespace}/${metadata.name} belongs to nobody alive`];
}

function bundleChecks(facts: ClusterFacts, namespace: string): readonly string[] {
  const { identities, bundles, authority } = facts;
  const bundle = bundles.find(({ metadata }) => metadata.namespace === namespace);
  const isNeeded = identities.some(({ metadata }) => metadata.namespace === namespace);
  const where = `${BUNDLE_NAME} of ${namespace}`;
  if (bundle === undefined) return isNeeded ? [`${where} is missing`] : [];
  const data = { ...bundle.data, ...bundle.binaryData };
  return wrong([
    [isNeeded, `${where} is there for nobody`],
    [bundle.metadata.labels?.[LABEL_MANAGED] === 'true', `${where} lacks its label`],
    [data['ca.crt'] === authorityPem(authority), `${where} is not the authority`],
    [isSigned(data, authorityPem(authority) ?? '', facts), `${where} is not what was signed`],
  ]);
}

/** All files but the signature, and no other, are as the authority has signed them for a time that is not over. */
function isSigned(
  { [SIGNATURE_FILE]: signature = '', ...files }: Readonly<Record<string, string>>,
  rootsPem: string,
  { trustDomain, nowMs }: ClusterFacts,
): boolean {
  const claims = readBundleSignature(signature, { rootsPem, trustDomain, nowMs });
  return claims !== undefined && claims.exp * 1000 > nowMs && isSameFiles(digestsOf(files), claims.files);
}

function ledgerChecks(ledgers: readonly ConfigMap[]): readonly string[] {
  const open = ledgers.filter(({ metadata }) => metadata.annotations?.[ANNOTATION_CLOSED] === undefined);
  const long = ledgers.filter((ledger) => linesOf(ledger).length > LINES_PER_LEDGER);
  return [
    ...wrong([[open.length <= 1, `${open.length} ledgers are open`]]),
    ...long.map(({ metadata }) => `${metadata.name} holds too many lines`),
  ];
}

/** There is a line for every leaf there ever was, and at most one more for each write whose answer was lost. */
function lineChecks(
  lines: readonly (LedgerLine | undefined)[],
  { leaves, lost }: ClusterHistory,
): readonly string[] {
  const serials = lines.map((line) => line?.serialHex);
  const known = new Set(serials);
  const repeated = serials.filter((serial, at) => serials.indexOf(serial) !== at);
  const beyond = countsOf(lines.filter((line) => line !== undefined && !leaves.has(line.serialHex)));
  return [
    ...wrong([[!known.has(undefined), 'a line of the ledger cannot be read']]),
    ...repeated.map((serial) => `${serial} stands in the ledger more than once`),
    ...[...beyond]
      .filter(([uid, count]) => count > (lost.get(uid) ?? 0))
      .map(
        ([uid, count]) => `${uid} has ${count} lines without a leaf, and lost ${lost.get(uid) ?? 0} answers`,
      ),
    ...[...leaves.keys()]
      .filter((serial) => !known.has(serial))
      .map((serial) => `${serial} is not in the ledger`),
  ];
}

function countsOf(lines: readonly (LedgerLine | undefined)[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines)
    counts.set(line?.identityUid ?? '', (counts.get(line?.identityUid ?? '') ?? 0) + 1);
  return counts;
}

function secretHistory({ secret, changes, reasons, returned }: SecretHistory): readonly string[] {
  return [
    ...wrong([[changes <= reasons, `Secret ${secret} changed ${changes} times for ${reasons} reasons`]]),
    ...returned.map((serial) => `Secret ${secret} came back with the old leaf ${serial}`),
  ];
}

function linesOf({ data }: ConfigMap): readonly (LedgerLine | undefined)[] {
  const text = data?.['ledger'] ?? '';
  return text.split('\n').slice(0, -1).map(parseLedgerLine);
}

function authorityPem(authority: Secret | undefined): string | undefined {
  if (authority === undefined) return undefined;
  const names = Object.keys(authority.data ?? {}).filter((name) => name.endsWith('.crt'));
  return names.map((name) => textOf(authority, name)).join('');
}
