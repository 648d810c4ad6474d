/** The flag that lists the issuers of cert-manager, as the chart writes its value: JSON. */

import type { ListedIssuer } from '../controllers/issuance/issuer-state.ts';
import { readIssuerCertificates } from '../crypto/issuer-certificates.ts';
import { isDnsName } from '../domain/certificate/dns-name.ts';
import { issuerId, withDefaults } from '../domain/issuance/issuer.ts';
import type { Flag } from './flags.ts';

const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;
const MEMBERS: readonly string[] = ['name', 'kind', 'group', 'ca'];
const FORMER = 'former';
/** Of a key of a ConfigMap. */
const MAX_ID_LENGTH = 253;

/** The flag. */
export const ISSUERS_FLAG: Flag = {
  value: 'JSON',
  default: '[]',
  says: 'issuers of cert-manager that sign for agents, as a list of {name, kind, group, ca, former}',
  rules: [
    {
      must: 'must be a list such as [{"name":"agents-ca","kind":"ClusterIssuer"}], each with name, kind and group of an issuer, none twice; ca is the PEM of its self-signed CA certificates, former true when it signs no more',
      holds: (value) => parseIssuers(value) !== undefined,
    },
  ],
};

/** The issuers, or undefined when the text is no list of them. */
export function parseIssuers(text: string): readonly ListedIssuer[] | undefined {
  const list = parseJson(text);
  if (!Array.isArray(list)) return undefined;
  const issuers = list.map(issuerOf).filter((issuer) => issuer !== undefined);
  const ids = new Set(issuers.map(issuerId));
  return issuers.length === list.length && ids.size === list.length ? issuers : undefined;
}

function issuerOf(item: unknown): ListedIssuer | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { [FORMER]: isFormer = false, ...texts } = item as Readonly<Record<string, unknown>>;
  const entries = Object.entries(texts);
  if (typeof isFormer !== 'boolean') return undefined;
  if (!entries.every(([name, value]) => MEMBERS.includes(name) && typeof value === 'string'))
    return undefined;
  const { name = '', kind, group, ca = '' } = Object.fromEntries(entries) as Partial<Record<string, string>>;
  const ref = withDefaults({ name, ...(kind && { kind }), ...(group && { group }) });
  if (!isDnsName(ref.name) || !isDnsName(ref.group) || !KIND.test(ref.kind)) return undefined;
  if (issuerId(ref).length > MAX_ID_LENGTH) return undefined;
  if (ca === '') return { ...ref, isFormer, certificates: [] };
  const read = readIssuerCertificates(Buffer.from(ca));
  return read.kind === 'certificates' ? { ...ref, isFormer, certificates: read.certificates } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
