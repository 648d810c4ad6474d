/** Ways to spoil a cluster where all is well. */

import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { ANNOTATION_CLOSED, ANNOTATION_OWNER_UID } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import type { ClusterFacts, ClusterHistory } from '../../support/audit.ts';
import type { Cluster } from './audit-fixture.ts';

/** Spoils one thing. */
export type Seed = (cluster: Cluster) => Cluster;

/** Other facts. */
export function facts(change: (found: ClusterFacts) => Partial<ClusterFacts>): Seed {
  return (cluster) => ({ ...cluster, facts: { ...cluster.facts, ...change(cluster.facts) } });
}

/** Another past. */
export function history(change: (found: ClusterHistory) => Partial<ClusterHistory>): Seed {
  return (cluster) => ({ ...cluster, history: { ...cluster.history, ...change(cluster.history) } });
}

function identity(name: string, change: (found: AgentIdentity) => AgentIdentity): Seed {
  return facts(({ identities }) => ({
    identities: identities.map((each) => (each.metadata.name === name ? change(each) : each)),
  }));
}

/** Another spec of an identity. */
export function withSpec(name: string, spec: AgentIdentity['spec']): Seed {
  return identity(name, (found) => ({ ...found, spec }));
}

/** An identity that is suspended. */
export function suspended(name: string): Seed {
  return withSpec(name, { suspended: true });
}

/** Another status of an identity. */
export function withStatus(name: string, change: Partial<NonNullable<AgentIdentity['status']>>): Seed {
  return identity(name, (found) => ({ ...found, status: { ...found.status, ...change } }));
}

/** Another Ready of an identity. */
export function withReady(name: string, change: object): Seed {
  return identity(name, (found) => ({
    ...found,
    status: {
      ...found.status,
      conditions: (found.status?.conditions ?? []).map((each) => ({ ...each, ...change })),
    },
  }));
}

function secretNamed(name: string, change: (found: Secret) => readonly Secret[]): Seed {
  return facts(({ secrets }) => ({
    secrets: secrets.flatMap((each) => (each.metadata.name === name ? change(each) : [each])),
  }));
}

/** One Secret less. */
export function withoutSecret(name: string): Seed {
  return secretNamed(name, () => []);
}

/** A Secret that differs. */
export function withSecret(name: string, change: Partial<Secret>): Seed {
  return secretNamed(name, (found) => [{ ...found, ...change }]);
}

/** A Secret whose metadata differ. */
export function withMetadata(name: string, change: Partial<Secret['metadata']>): Seed {
  return secretNamed(name, (found) => [{ ...found, metadata: { ...found.metadata, ...change } }]);
}

/** A Secret whose data differ. */
export function withData(name: string, change: NonNullable<Secret['data']>): Seed {
  return secretNamed(name, (found) => [{ ...found, data: { ...found.data, ...change } }]);
}

/** A Secret with the data of another. */
export function withDataOf(name: string, other: string): Seed {
  return (cluster) => withData(name, secretIn(cluster, other)?.data ?? {})(cluster);
}

/** A Secret of the cluster. */
export function secretIn({ facts: { secrets } }: Cluster, name: string): Secret | undefined {
  return secrets.find(({ metadata }) => metadata.name === name);
}

/** A Secret twice. */
export function copyOfSecret(name: string, copy: string): Seed {
  return secretNamed(name, (found) => [found, { ...found, metadata: { ...found.metadata, name: copy } }]);
}

/** A copy of a Secret that belongs to nobody alive. */
export function orphanOf(name: string): Seed {
  return secretNamed(name, (found) => {
    const annotations = { [ANNOTATION_OWNER_UID]: 'dead' };
    return [found, { ...found, metadata: { ...found.metadata, name: 'left-tls', annotations } }];
  });
}

/** A bundle that differs. */
export function withBundle(change: Partial<ConfigMap>): Seed {
  return facts(({ bundles }) => ({ bundles: bundles.map((bundle) => ({ ...bundle, ...change })) }));
}

/** A ledger with another text. */
export function withLedger(change: (text: string) => string): Seed {
  return facts(({ ledgers }) => ({
    ledgers: ledgers.map((each) => ({ ...each, data: { ledger: change(each.data?.['ledger'] ?? '') } })),
  }));
}

/** A second ledger. */
export function ledger(text: string, isClosed = false): ConfigMap {
  const annotations: Record<string, string> = isClosed ? { [ANNOTATION_CLOSED]: 'true' } : {};
  return { metadata: { name: 'agent-trust-ledger-2', annotations }, data: { ledger: text } };
}
