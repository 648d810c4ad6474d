/** What somebody may make of the rendered objects of the target of these tests. */

import type { MeshObject, MeshObjects, MeshRole } from '../../../../src/domain/mesh/model.ts';
import { LABEL_IDENTITY } from '../../../../src/domain/mesh/names.ts';
import { kindOf } from '../../../../src/domain/mesh/plan.ts';
import type { Dice } from '../../../support/random-world.ts';
import { DEPLOYER } from './fixture.ts';

type Spec = MeshObject['spec'];

const ROLES: readonly MeshRole[] = ['allow', 'fence', 'verify', 'mtls', 'net', 'dryallow', 'dryfence'];
const PODS = { matchLabels: { [LABEL_IDENTITY]: DEPLOYER.serviceAccountName } };
const OTHER_PODS = { matchLabels: { [LABEL_IDENTITY]: 'other' } };

function policy(action: string | undefined, rules?: readonly object[], provider?: string): Spec {
  return {
    selector: PODS,
    ...(action === undefined ? {} : { action }),
    ...(rules === undefined ? {} : { rules }),
    ...(provider === undefined ? {} : { provider: { name: provider } }),
  };
}

const from = (source: object): object => ({ from: [{ source }] });
const to = (operation: object): object => ({ to: [{ operation }] });
const NORTH_A = { principals: ['example.org/ns/north/sa/a'] };

const POLICIES: readonly Spec[] = [
  policy('ALLOW', [{}]),
  policy(undefined, [from(NORTH_A)]),
  policy('ALLOW', [to({ ports: ['8443'] })]),
  policy('ALLOW', [from({ namespaces: ['south'] })]),
  policy('ALLOW'),
  policy('DENY', [from(NORTH_A)]),
  policy('DENY', [to({ ports: ['9090'] })]),
  policy('DENY', [to({ methods: ['GET'] })]),
  policy('CUSTOM', [{}], 'agent-trust'),
  policy('CUSTOM', [to({ paths: ['/metrics', '/v1/delegate'] })], 'agent-trust'),
  policy('CUSTOM', [to({ ports: ['8443'], notPaths: ['/v1/delegate'] })], 'agent-trust'),
  { ...policy('ALLOW', [{}]), selector: OTHER_PODS },
];

const PEERS: readonly Spec[] = ['DISABLE', 'PERMISSIVE', 'STRICT', 'UNSET'].flatMap((mode) => [
  { selector: PODS, mtls: { mode } },
  { selector: PODS, mtls: { mode }, portLevelMtls: { 8443: { mode: 'DISABLE' } } },
  { selector: PODS, mtls: { mode }, portLevelMtls: { 9090: { mode: 'PERMISSIVE' } } },
]);

const NETWORKS: readonly Spec[] = [
  { podSelector: PODS, policyTypes: ['Ingress'], ingress: [{}] },
  { podSelector: PODS, policyTypes: ['Ingress'], ingress: [{ ports: [{ protocol: 'TCP', port: 9090 }] }] },
  { podSelector: PODS, policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: {} }] }] },
  { podSelector: PODS, policyTypes: ['Ingress'] },
  { podSelector: PODS, policyTypes: ['Egress'] },
  { podSelector: OTHER_PODS, policyTypes: ['Ingress'], ingress: [{}] },
];

/** Some of the objects deleted, made to say something else, disarmed by `istio.io/dry-run`, or newly there. */
export function editedByOthers(dice: Dice, objects: MeshObjects): MeshObjects {
  const edited: Partial<Record<MeshRole, MeshObject>> = { ...objects };
  for (const role of ROLES) {
    if (!dice.chance(role.startsWith('dry') ? 0.15 : 0.35)) continue;
    if (dice.chance(0.25)) delete edited[role];
    else edited[role] = editOf(dice, role, objects[role]);
  }
  return edited;
}

function editOf(dice: Dice, role: MeshRole, object: MeshObject | undefined): MeshObject {
  const { kind } = kindOf(role);
  const specs = { AuthorizationPolicy: POLICIES, PeerAuthentication: PEERS, NetworkPolicy: NETWORKS }[kind];
  const isDisarmed = kind === 'AuthorizationPolicy' && dice.chance(0.2);
  const metadata = {
    name: `at-${role}`,
    namespace: DEPLOYER.namespace,
    labels: {},
    annotations: isDisarmed ? { 'istio.io/dry-run': 'true' } : {},
  };
  const spec = isDisarmed && object !== undefined ? object.spec : dice.one(specs);
  return { ...kindOf(role), metadata, spec };
}
