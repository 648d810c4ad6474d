/** What the API server alone says to who writes what the operator keeps, while nothing of it runs. */

import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import {
  create,
  type Manifest,
  mergePatch,
  remove,
  type Target,
  update,
} from '../../support/admission/request.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import { AGENTS } from '../../support/swarm.ts';
import {
  AGENT,
  CONTROLLER,
  DEPLOYER,
  ELSEWHERE,
  GARBAGE_COLLECTOR,
  NAMESPACE_CONTROLLER,
  OUTSIDER,
  SECURITY,
  usePoliciesWorld,
  WEBHOOK,
} from './policies-world.ts';

const IDENTITY = 'agenttrust.dev/identity';
const MANAGED = { 'agenttrust.dev/managed': 'true' };

describe('the admission policies on what the operator keeps', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane, { prepare: () => applyIstioCrds(controlPlane()) });
  const selector = { matchLabels: { [IDENTITY]: 'agent-deployer' } };
  const BODIES = {
    Secret: { type: 'kubernetes.io/tls', data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' } },
    ConfigMap: { data: { 'ca.crt': 'x' } },
    NetworkPolicy: { spec: { podSelector: selector } },
    AuthorizationPolicy: { spec: { selector } },
    PeerAuthentication: { spec: { selector, mtls: { mode: 'STRICT' } } },
  } as const;
  type Kept = keyof typeof BODIES;
  const NAMES: Readonly<Record<Kept, string>> = {
    Secret: 'agent-deployer-tls',
    ConfigMap: 'agent-trust-bundle',
    NetworkPolicy: 'at-net-agent-deployer-x',
    AuthorizationPolicy: 'at-allow-agent-deployer-x',
    PeerAuthentication: 'at-mtls-agent-deployer-x',
  };
  const CHANGES: Readonly<Record<Kept, object>> = {
    Secret: { data: { 'tls.crt': 'eQ==' } },
    ConfigMap: { data: { 'ca.crt': 'y' } },
    NetworkPolicy: { spec: { ingress: [{}] } },
    AuthorizationPolicy: { spec: { rules: [{}] } },
    PeerAuthentication: { spec: { mtls: { mode: 'PERMISSIVE' } } },
  };
  const POLICIES: Readonly<Record<Kept, string>> = {
    Secret: 'managed-secrets',
    ConfigMap: 'managed-configmaps',
    NetworkPolicy: 'managed-networkpolicies',
    AuthorizationPolicy: 'managed-istio',
    PeerAuthentication: 'managed-istio',
  };
  const KINDS = Object.keys(BODIES) as Kept[];

  function object(kind: Kept, metadata: Partial<Manifest['metadata']> = {}): Manifest {
    return {
      kind,
      metadata: { name: NAMES[kind], namespace: AGENTS, labels: MANAGED, ...metadata },
      ...BODIES[kind],
    };
  }

  function kept(kind: Kept): Target {
    return { kind, namespace: AGENTS, name: NAMES[kind] };
  }

  before(() =>
    world().create(
      KINDS.map((kind) => object(kind)),
      CONTROLLER,
    ),
  );

  for (const kind of KINDS) {
    const rejection = {
      policy: POLICIES[kind],
      says: `${kind} ${AGENTS}/${NAMES[kind]} is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from`,
    };

    it(`reject an edit of a ${kind} by anybody else`, async () => {
      for (const caller of [undefined, OUTSIDER]) {
        await world().rejects(mergePatch(kept(kind), CHANGES[kind]), caller, rejection);
        await world().rejects(update(kept(kind), CHANGES[kind]), caller, rejection);
        await world().rejects(
          mergePatch(kept(kind), { metadata: { labels: { 'agenttrust.dev/managed': null } } }),
          caller,
          rejection,
        );
        await world().rejects(
          mergePatch(kept(kind), { metadata: { annotations: { 'istio.io/dry-run': 'true' } } }),
          caller,
          rejection,
        );
        const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' };
        await world().rejects(
          mergePatch(kept(kind), { metadata: { ownerReferences: [owner] } }),
          caller,
          rejection,
        );
        await world().rejects(
          mergePatch(kept(kind), { metadata: { finalizers: ['example.org/x'] } }),
          caller,
          rejection,
        );
        await world().rejects(remove(kept(kind)), caller, rejection);
        await world().rejects(remove({ kind, namespace: AGENTS }), caller, rejection);
      }
    });

    it(`accept the operator, what cleans up, and a write of a ${kind} that changes nothing`, async () => {
      await world().accepts(mergePatch(kept(kind), CHANGES[kind]), CONTROLLER);
      await world().accepts(remove(kept(kind)), CONTROLLER);
      for (const cleaner of [
        GARBAGE_COLLECTOR,
        NAMESPACE_CONTROLLER,
        { user: 'system:kube-controller-manager', groups: ['system:masters'] },
      ]) {
        await world().accepts(remove(kept(kind)), cleaner);
      }
      await world().accepts(update(kept(kind), {}));
    });

    it(`reject our label on a ${kind} of one's own, and accept one without`, async () => {
      const refused = {
        policy: POLICIES[kind],
        says: 'metadata.labels: agenttrust.dev/managed marks what agent-trust keeps. Leave the label out',
      };
      await world().rejects(create(object(kind, { name: 'mine' })), undefined, refused);
      await world().accepts(create(object(kind, { name: 'mine', labels: {} })));
      await world().accepts(create(object(kind, { name: 'mine', namespace: ELSEWHERE })), OUTSIDER);
    });
  }

  it('reject a ConfigMap under the name of a part of the trust bundle, labelled or not', () =>
    world().rejects(create(object('ConfigMap', { name: 'agent-trust-bundle-2', labels: {} })), OUTSIDER, {
      policy: 'managed-configmaps',
      says: 'metadata.name: ConfigMap agent-trust-bundle-2 holds the trust of every namespace with agents and is kept by agent-trust. Use another name',
    }));

  it('reject a ConfigMap under the name of the trust bundle, labelled or not', () =>
    world().rejects(
      mergePatch(kept('ConfigMap'), { metadata: { labels: { 'agenttrust.dev/managed': null } } }),
      OUTSIDER,
      {
        policy: 'managed-configmaps',
        says: `ConfigMap ${AGENTS}/agent-trust-bundle is kept by agent-trust. Change the AgentIdentity or DelegationPolicy that it follows from`,
      },
    ));

  it('reject deleting a tombstone without the verb ungovern', async () => {
    const labels = { ...MANAGED, 'agenttrust.dev/tombstone': 'true', 'agenttrust.dev/agent': 'gone' };
    for (const kind of ['NetworkPolicy', 'AuthorizationPolicy', 'PeerAuthentication'] as const) {
      const name = NAMES[kind].replace('agent-deployer', 'gone');
      await world().create([object(kind, { name, labels })], CONTROLLER);
      const rejection = {
        policy: POLICIES[kind],
        says: `${kind} ${AGENTS}/${name} closes the last pods of a deleted agent and goes with them. Deleting it now needs the verb ungovern on agentidentities.agenttrust.dev/gone in namespace ${AGENTS}`,
      };
      await world().rejects(remove({ kind, namespace: AGENTS, name }), OUTSIDER, rejection);
      await world().rejects(
        mergePatch({ kind, namespace: AGENTS, name }, CHANGES[kind]),
        undefined,
        rejection,
      );
      await world().accepts(remove({ kind, namespace: AGENTS, name }));
    }
    await world().accepts(
      remove({ kind: 'NetworkPolicy', namespace: AGENTS, name: 'at-net-gone-x' }),
      SECURITY,
    );
  });

  describe('itself', () => {
    const state = (
      kind: 'Secret' | 'ConfigMap',
      name: string,
      labels: Readonly<Record<string, string>> = {},
    ): Manifest => ({
      kind,
      metadata: { name, namespace: OPERATOR_NAMESPACE, labels },
      ...(kind === 'Secret'
        ? {
            type: name === 'agent-trust-ca' ? 'agenttrust.dev/authority' : 'kubernetes.io/tls',
            data: { 'tls.crt': '', 'tls.key': '' },
          }
        : {}),
    });
    const rejection = (kind: 'Secret' | 'ConfigMap', name: string) => ({
      policy: POLICIES[kind],
      says: `${kind} ${OPERATOR_NAMESPACE}/${name} is the state of agent-trust itself. To restore it from a backup, delete ValidatingAdmissionPolicyBinding agent-trust-${POLICIES[kind]} first; helm upgrade puts that back`,
    });
    const STATE = [
      ['Secret', 'agent-trust-ca', CONTROLLER],
      ['Secret', 'agent-trust-webhook-tls', WEBHOOK],
      ['ConfigMap', 'agent-trust-ledger-0', CONTROLLER],
      ['ConfigMap', 'agent-trust-authority-state', CONTROLLER],
      ['ConfigMap', 'agent-trust-issuers', CONTROLLER],
    ] as const;
    for (const [kind, name, owner] of STATE) {
      it(`reject anybody but its process at ${name}, there already or not`, async () => {
        const target = { kind, namespace: OPERATOR_NAMESPACE, name };
        const others = [undefined, OUTSIDER, GARBAGE_COLLECTOR].filter(
          (caller) => caller !== GARBAGE_COLLECTOR,
        );
        for (const caller of others)
          await world().rejects(create(state(kind, name)), caller, rejection(kind, name));
        await world().create([state(kind, name, MANAGED)], owner);
        for (const caller of others) {
          await world().rejects(mergePatch(target, { data: { x: 'eA==' } }), caller, rejection(kind, name));
          await world().rejects(remove(target), caller, rejection(kind, name));
        }
        await world().accepts(remove(target), owner);
        await world().accepts(update(target, {}));
      });
    }

    it('accept other objects of its namespace, those of Helm above all', async () => {
      await world().accepts(create(state('Secret', 'sh.helm.release.v1.agent-trust.v2')));
      await world().accepts(create(state('ConfigMap', 'dashboards')));
    });

    it('accept what an administrator asks of the authority', async () => {
      const target = { kind: 'ConfigMap', namespace: OPERATOR_NAMESPACE, name: 'agent-trust-authority' };
      await world().accepts(mergePatch(target, { data: { rotateBefore: '2026-03-01T12:00:00Z' } }));
    });
  });

  describe('by ServiceAccounts of namespaces with agents', () => {
    const says = (where: string) =>
      `ServiceAccounts of namespaces with agents write no object kept by agent-trust. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev in namespace ${where}`;
    for (const kind of KINDS) {
      it(`reject a ${kind} with our label, in every namespace`, async () => {
        const far = object(kind, { name: 'mine', namespace: ELSEWHERE });
        await world().rejects(create(far), AGENT, { policy: 'leash-objects', says: says(ELSEWHERE) });
        await world().rejects(create(far), DEPLOYER, { policy: 'leash-objects', says: says(ELSEWHERE) });
        await world().accepts(create({ ...far, metadata: { ...far.metadata, labels: {} } }), AGENT);
      });
    }
  });
});
