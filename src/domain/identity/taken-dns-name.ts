/** What is said when an identity wants a DNS name that another one has. */

/** A name of `spec.certificate.dnsNames` that belongs to another AgentIdentity of the namespace. */
export interface TakenDnsName {
  readonly dnsName: string;
  /** Name of the other AgentIdentity. */
  readonly by: string;
  /** `service`: the name is one of its Service; `listed`: it stands in its `dnsNames`. */
  readonly as: 'service' | 'listed';
}

/** Which name, whose and why; without field and way out. */
export function takenDnsNameText({ dnsName, by, as }: TakenDnsName): string {
  return as === 'service'
    ? `"${dnsName}" is a name of the Service of AgentIdentity ${by}`
    : `"${dnsName}" stands in the dnsNames of AgentIdentity ${by}`;
}

/** The sentences for an identity whose names are taken; only the first is named. */
export function dnsNameTaken(taken: TakenDnsName): string {
  return `spec.certificate.dnsNames: ${takenDnsNameText(taken)}, and one name belongs to one agent. Take it out of either; the certificate follows by itself.`;
}
