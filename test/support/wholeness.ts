/** What is wrong in a governed namespace at one moment, whatever has been before: for tests that kill operators. */

import { OPERATOR_NAMESPACE } from '../../hack/operator/install-chart.ts';
import type { AgentIdentity } from '../../src/api/agent-identity.ts';
import { AGENT_IDENTITY, AUTHORITY_SECRET_NAME, BUNDLE_NAME, LABEL_LEDGER } from '../../src/api/group.ts';
import type { ConfigMap } from '../../src/controllers/bundle/bundle-record.ts';
import type { Secret } from '../../src/controllers/identity/secret.ts';
import type { PolicyObject } from '../../src/controllers/mesh/digest.ts';
import { NETWORK_POLICY } from '../../src/controllers/mesh/kinds.ts';
import { type LedgerLine, parseLedgerLine } from '../../src/domain/ledger/ledger-line.ts';
import { meshObjectName } from '../../src/domain/mesh/names.ts';
import { CONFIG_MAP, SECRET, SERVICE_ACCOUNT } from '../../src/kube/core-types.ts';
import { type KubeObject, keyOf } from '../../src/kube/object.ts';
import { audit } from './audit.ts';
import { AGENTS, type Swarm } from './swarm.ts';

/** A sentence for everything that is half done, wrong or left over; empty when every identity is whole. */
export async function defects({ client }: Swarm): Promise<readonly string[]> {
  const namespace = AGENTS;
  const [identities, accounts, secrets, bundles, authority, ledgers, networkPolicies] = await Promise.all([
    client.list<AgentIdentity & KubeObject>(AGENT_IDENTITY, { namespace }),
    client.list(SERVICE_ACCOUNT, { namespace, metadataOnly: true }),
    client.list<Secret>(SECRET, { namespace }),
    client.list<ConfigMap>(CONFIG_MAP, { namespace, fieldSelector: `metadata.name=${BUNDLE_NAME}` }),
    client.find<Secret>(SECRET, { namespace: OPERATOR_NAMESPACE, name: AUTHORITY_SECRET_NAME }),
    client.list<ConfigMap>(CONFIG_MAP, LEDGERS),
    client.list<PolicyObject>(NETWORK_POLICY, { namespace }),
  ]);
  const facts = {
    namespaces: [namespace],
    trustDomain: 'cluster.local',
    nowMs: Date.now(),
    identities: identities.items,
    serviceAccounts: new Set(accounts.items.map(({ metadata }) => keyOf(metadata))),
    secrets: secrets.items,
    bundles: bundles.items,
    authority,
    ledgers: ledgers.items,
  };
  // A death between the two writes leaves a line whose leaf never was: no line is one too many here.
  const leaves = new Map(linesOf(ledgers.items).map((line) => [line.serialHex, line.identityUid]));
  return [
    ...audit(facts, { leaves, lost: new Map(), secrets: [] }),
    ...wallDefects(identities.items, networkPolicies.items),
  ];
}

/** Every identity has its NetworkPolicy, closed on both sides while it is suspended; nobody else has one. */
function wallDefects(
  identities: readonly AgentIdentity[],
  policies: readonly PolicyObject[],
): readonly string[] {
  const wanted = new Map(
    identities.map(({ metadata, spec }) => [
      meshObjectName('net', metadata),
      spec.suspended === true ? ['Ingress', 'Egress'] : ['Ingress'],
    ]),
  );
  const found = new Map(policies.map(({ metadata, spec = {} }) => [metadata.name, spec['policyTypes']]));
  return [...new Set([...wanted.keys(), ...found.keys()])]
    .filter((name) => String(wanted.get(name)) !== String(found.get(name)))
    .map((name) => `NetworkPolicy ${name} is ${found.get(name)}, not ${wanted.get(name)}`);
}

/** Every leaf that was ever signed, as the ledger has it. */
export async function ledgerLines({ client }: Swarm): Promise<readonly LedgerLine[]> {
  return linesOf((await client.list<ConfigMap>(CONFIG_MAP, LEDGERS)).items);
}

const LEDGERS = { namespace: OPERATOR_NAMESPACE, labelSelector: LABEL_LEDGER };

function linesOf(ledgers: readonly ConfigMap[]): readonly LedgerLine[] {
  const texts = ledgers.flatMap(({ data }) => (data?.['ledger'] ?? '').split('\n'));
  return texts.map(parseLedgerLine).filter((line) => line !== undefined);
}
