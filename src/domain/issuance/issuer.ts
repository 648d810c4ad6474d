/** Issuers of cert-manager: how a spec names one, and the one text that stands for it. */

/** An issuer. A ClusterIssuer is one of the cluster; an Issuer is always that of the operator's namespace. */
export interface IssuerRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** The part of a spec that names an issuer, as people write it. */
export interface IssuerInput {
  readonly certificate?: {
    readonly issuerRef?: { readonly name: string; readonly kind?: string; readonly group?: string };
  };
}

const DEFAULTS = { group: 'cert-manager.io', kind: 'ClusterIssuer' } as const;

/** The issuer that a spec names, with the defaults of its schema; undefined: the built-in authority signs. */
export function issuerOfSpec({ certificate }: IssuerInput): IssuerRef | undefined {
  return certificate?.issuerRef && withDefaults(certificate.issuerRef);
}

/** Fills in kind and group where they are absent or empty. */
export function withDefaults(
  ref: Pick<IssuerRef, 'name'> & Partial<Record<'kind' | 'group', string>>,
): IssuerRef {
  return { name: ref.name, kind: ref.kind || DEFAULTS.kind, group: ref.group || DEFAULTS.group };
}

/** Differs for two issuers that differ, and may be the key of a ConfigMap: no part has an underscore. */
export function issuerId({ group, kind, name }: IssuerRef): string {
  return `${kind}_${group}_${name}`;
}

/** The issuer of such an id; undefined for other text. */
export function parseIssuerId(id: string): IssuerRef | undefined {
  const [kind = '', group = '', name = '', ...rest] = id.split('_');
  return [kind, group, name].includes('') || rest.length > 0 ? undefined : { group, kind, name };
}

/** As people name it: `ClusterIssuer agents-ca`, with the group unless it is cert-manager's. */
export function issuerTitle({ group, kind, name }: IssuerRef): string {
  return group === DEFAULTS.group ? `${kind} ${name}` : `${kind}.${group} ${name}`;
}
