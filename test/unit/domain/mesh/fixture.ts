/** Targets to render, random ones too, and whether rendered objects let a call in. */

import type {
  DataPlane,
  MeshFacts,
  MeshObjects,
  MeshTarget,
  OutsideCaller,
  Route,
} from '../../../../src/domain/mesh/model.ts';
import { LABEL_IDENTITY } from '../../../../src/domain/mesh/names.ts';
import { allows } from '../../../support/mesh/evaluate.ts';
import type { Dice } from '../../../support/random-world.ts';

/** The running example: agent-coordinator calls agent-deployer. */
export const DEPLOYER: MeshTarget = {
  namespace: 'ai-agents',
  name: 'agent-deployer',
  serviceAccountName: 'agent-deployer-sa',
  state: 'enforce',
  port: 8443,
  routes: [{ method: 'POST', path: '/v1/delegate' }],
  callers: [],
  delegators: [
    {
      namespace: 'ai-agents',
      serviceAccountName: 'agent-coordinator-sa',
      capabilities: ['kubectl_apply', 'kubectl_get'],
    },
  ],
  labels: { 'agenttrust.dev/agent': 'agent-deployer', 'agenttrust.dev/managed': 'true' },
  annotations: { 'agenttrust.dev/owner-uid': 'uid-1' },
};

/** A cluster with sidecars. */
export const SIDECAR: MeshFacts = { trustDomain: 'example.org', servesIstio: true, dataPlane: 'sidecar' };

/** A call, as the proxy in front of the target sees it. */
export interface Call {
  readonly namespace: string;
  /** Undefined: without mutual TLS, so nobody knows. */
  readonly account: string | undefined;
  /** Whether the caller's pod carries the identity label. */
  readonly labelled: boolean;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  /** Whether the authorizer would take its token. */
  readonly verified: boolean;
}

const NAMESPACES = ['north', 'south'];
const ACCOUNTS = ['a', 'b', 'c'];
const CAPABILITIES = ['read', 'write'];
const ROUTES: readonly Route[] = [
  { method: 'POST', path: '/v1/delegate' },
  { method: 'POST', path: '/v1/reports/{name}', capability: 'read' },
  { method: 'GET', path: '/v1/reports/{name}', capability: 'write' },
];
const OUTSIDE: readonly OutsideCaller[] = [
  {
    accounts: [{ namespace: 'north', serviceAccountName: 'gateway' }],
    ports: [8443],
    methods: ['GET'],
    paths: ['/healthz'],
  },
  {
    accounts: [{ namespace: 'south', serviceAccountName: 'prometheus' }],
    ports: [9090, 8443],
    methods: [],
    paths: ['/metrics', '/healthz'],
  },
];
/** Every call that the targets below tell apart. */
export const CALLS: readonly Call[] = NAMESPACES.flatMap((namespace) =>
  [...ACCOUNTS, 'gateway', 'prometheus', undefined].flatMap((account) =>
    [8443, 9090].flatMap((port) =>
      ['GET', 'POST'].flatMap((method) =>
        ['/v1/delegate', '/v1/reports/q1', '/healthz', '/metrics'].flatMap((path) =>
          [true, false].flatMap((verified) =>
            [true, false].map((labelled) => ({ namespace, account, labelled, port, method, path, verified })),
          ),
        ),
      ),
    ),
  ),
);

/** One agent with random callers, routes and state. */
export function randomTarget(dice: Dice): MeshTarget {
  return {
    ...DEPLOYER,
    state: dice.chance(0.7) ? 'enforce' : dice.one(['dry-run', 'closed', 'killed', 'tombstone']),
    routes: dice.some(ROUTES, 0.7),
    callers: dice.some(OUTSIDE, 0.4),
    delegators: NAMESPACES.flatMap((namespace) =>
      dice.some(ACCOUNTS, 0.5).map((serviceAccountName) => ({
        namespace,
        serviceAccountName,
        capabilities: dice.some(CAPABILITIES, 0.7),
      })),
    ),
  };
}

/** What a cluster may have. */
export function randomFacts(dice: Dice): MeshFacts {
  const planes: readonly DataPlane[] = ['sidecar', 'sidecar', 'none', 'ambient', 'waypoint'];
  return {
    trustDomain: 'example.org',
    servesIstio: dice.chance(0.9),
    dataPlane: dice.one(planes),
    ...(dice.chance(0.5) ? { authorizerProvider: dice.one(['agent-trust', 'other']) } : {}),
  };
}

/** Whether objects of one target let a call in. Absent objects refuse nothing. */
export function letsIn(
  objects: MeshObjects,
  call: Call,
  dataPlane: 'sidecar' | 'ambient' = 'sidecar',
): boolean {
  const labels = { [LABEL_IDENTITY]: DEPLOYER.serviceAccountName };
  const pod = { namespace: DEPLOYER.namespace, labels, dataPlane };
  const { namespace, account, labelled, port, method, path, verified } = call;
  const { allowed } = allows(Object.values(objects), pod, {
    principal: account === undefined ? undefined : `example.org/ns/${namespace}/sa/${account}`,
    namespace,
    labels: labelled ? { [LABEL_IDENTITY]: account ?? 'a' } : {},
    port,
    method,
    path,
    tokenVerified: verified,
  });
  return allowed;
}
