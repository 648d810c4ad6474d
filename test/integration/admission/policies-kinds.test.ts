/** What the API server alone says to who writes our kinds, while nothing of the operator runs. */

import { OPERATOR_NAMESPACE } from '../../../hack/operator/install-chart.ts';
import {
  apply,
  create,
  jsonPatch,
  type Manifest,
  mergePatch,
  type Request,
  remove,
  type Target,
  update,
} from '../../support/admission/request.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { AGENTS } from '../../support/swarm.ts';
import {
  AGENT,
  CONTROLLER,
  DEPLOYER,
  EDITOR,
  ELSEWHERE,
  GARBAGE_COLLECTOR,
  OUTSIDER,
  RESPONDER,
  SECURITY,
  usePoliciesWorld,
  WEBHOOK,
} from './policies-world.ts';

function identity(name: string, spec: object = {}, namespace: string = AGENTS): Manifest {
  return { kind: 'AgentIdentity', metadata: { name, namespace }, spec };
}

function agent(name: string): Target {
  return { kind: 'AgentIdentity', namespace: AGENTS, name };
}

function specOf(name: string, spec: object): Request {
  return mergePatch(agent(name), { spec });
}

describe('the admission policies on our kinds', () => {
  const controlPlane = useControlPlane({ controllerManager: true });
  const world = usePoliciesWorld(controlPlane);
  before(() => world().create([identity('edited')]));

  it('reject DNS names of other namespaces, and accept those of the own one', async () => {
    const names = (...dnsNames: string[]) => create(identity('new', { certificate: { dnsNames } }));
    const rejection = (name: string) => ({
      policy: 'dns-names',
      status: 422,
      says: `spec.certificate.dnsNames: ${name} is not in this namespace. Use names that end in .${AGENTS}.svc or .${AGENTS}.svc.cluster.local`,
    });
    for (const name of [
      'www.example.org',
      'api.other.svc',
      `api.${AGENTS}`,
      `api.${AGENTS}.svc.example.org`,
      `${AGENTS}.svc`,
    ]) {
      await world().rejects(names(`api.${AGENTS}.svc`, name), EDITOR, rejection(name));
    }
    await world().accepts(names(`api.${AGENTS}.svc`, `a.b.${AGENTS}.svc.cluster.local`), EDITOR);
    await world().create([identity('reachable')]);
    await world().rejects(
      specOf('reachable', { certificate: { dnsNames: ['www.example.org'] } }),
      EDITOR,
      rejection('www.example.org'),
    );
  });

  it('reject agents and policies in namespaces of Kubernetes, the mesh and the operator', async () => {
    await world().create([{ kind: 'Namespace', metadata: { name: 'istio-system' } }]);
    const rule = { from: 'a', to: ['b'], capabilities: [{ name: 'c' }] };
    for (const namespace of ['kube-system', 'kube-public', 'istio-system', OPERATOR_NAMESPACE]) {
      const rejection = {
        policy: 'reserved-namespaces',
        says: `metadata.namespace: no agents live in ${namespace}, which belongs to Kubernetes, the mesh or the operator. Use a namespace of your own`,
      };
      await world().rejects(create(identity('new', {}, namespace)), undefined, rejection);
      const policy = {
        kind: 'DelegationPolicy',
        metadata: { name: 'new', namespace },
        spec: { maxDepth: 1, rules: [rule] },
      };
      await world().rejects(create(policy), undefined, rejection);
    }
    await world().accepts(create(identity('new', {}, 'default')));
  });

  describe('about restore', () => {
    const quarantine = (name: string, spec: object, namespace: string = AGENTS): Manifest => ({
      kind: 'Quarantine',
      metadata: { name, namespace },
      spec,
    });
    const missing = (agentName: string) => ({
      policy: 'restore-quarantine',
      says: `lifting this Quarantine needs the verb restore on agentidentities.agenttrust.dev/${agentName} in namespace ${AGENTS}. Ask for it`,
    });
    before(() =>
      world().create([identity('killed', { suspended: true }), identity('alive', { suspended: false })]),
    );

    it('reject lifting `suspended` without the right to', async () => {
      const rejection = {
        policy: 'restore-identity',
        says: `spec.suspended: lifting it needs the verb restore on agentidentities.agenttrust.dev/killed in namespace ${AGENTS}. Ask for it, or leave it true`,
      };
      await world().rejects(specOf('killed', { suspended: false }), EDITOR, rejection);
      await world().rejects(specOf('killed', { suspended: null }), EDITOR, rejection);
      await world().rejects(
        jsonPatch(agent('killed'), { op: 'remove', path: '/spec/suspended' }),
        EDITOR,
        rejection,
      );
      await world().rejects(update(agent('killed'), { spec: { suspended: null } }), EDITOR, rejection);
      await world().rejects(apply(identity('killed', { suspended: false })), EDITOR, rejection);
      await world().accepts(specOf('killed', { suspended: false }), SECURITY);
      await world().accepts(specOf('killed', { server: { port: 9443 } }), EDITOR);
      await world().accepts(specOf('alive', { suspended: true }), EDITOR);
    });

    it('reject deleting a suspended agent, the garbage collector too: anybody could give it an owner', async () => {
      const rejection = {
        policy: 'restore-identity',
        says: `spec.suspended: deleting a suspended agent needs the verb restore on agentidentities.agenttrust.dev/killed in namespace ${AGENTS}. Ask for it`,
      };
      await world().rejects(remove(agent('killed')), EDITOR, rejection);
      await world().rejects(remove({ kind: 'AgentIdentity', namespace: AGENTS }), OUTSIDER, rejection);
      await world().rejects(remove(agent('killed')), GARBAGE_COLLECTOR, rejection);
      await world().accepts(remove(agent('killed')), SECURITY);
      await world().accepts(remove(agent('alive')), EDITOR);
      await world().accepts(remove(agent('alive')), GARBAGE_COLLECTOR);
    });

    it('reject ending the deletion of an agent that was suspended meanwhile', async () => {
      const planted = identity('planted');
      const metadata = { ...planted.metadata, finalizers: ['example.org/x'] };
      await world().create([{ ...planted, metadata }], EDITOR);
      await world().make(remove(agent('planted')), EDITOR);
      await world().make(specOf('planted', { suspended: true }), EDITOR);
      const rejection = {
        policy: 'restore-identity',
        says: `spec.suspended: deleting a suspended agent needs the verb restore on agentidentities.agenttrust.dev/planted in namespace ${AGENTS}. Ask for it`,
      };
      const letGo = mergePatch(agent('planted'), { metadata: { finalizers: null } });
      await world().rejects(letGo, EDITOR, rejection);
      await world().rejects(specOf('planted', { suspended: false }), EDITOR, rejection);
      await world().accepts(letGo, SECURITY);
    });

    it('reject deleting a Quarantine of an agent, of this namespace or from the one of the operator', async () => {
      const ofOperator = { kind: 'Quarantine', namespace: OPERATOR_NAMESPACE, name: 'far' };
      await world().create([
        quarantine('near', { agent: 'alive' }),
        quarantine('far', { agent: `${AGENTS}/alive` }, OPERATOR_NAMESPACE),
        quarantine('void', { agent: `${ELSEWHERE}/somebody` }),
      ]);
      const near = { kind: 'Quarantine', namespace: AGENTS, name: 'near' };
      await world().rejects(remove(near), OUTSIDER, missing('alive'));
      await world().rejects(remove(near), GARBAGE_COLLECTOR, missing('alive'));
      await world().rejects(remove(ofOperator), OUTSIDER, missing('alive'));
      await world().accepts(remove(near), SECURITY);
      await world().accepts(remove(ofOperator));
      // It counts for nothing.
      await world().accepts(remove({ ...near, name: 'void' }), OUTSIDER);
    });

    it('accept that a responder pulls the plug, and nothing else of it', async () => {
      await world().accepts(create(quarantine('now', { agent: 'alive', reason: 'ticket 4711' })), RESPONDER);
      const revocation = {
        kind: 'TokenRevocation',
        metadata: { name: 'now', namespace: AGENTS },
        spec: { agent: 'alive' },
      };
      await world().accepts(create(revocation), RESPONDER);
    });

    it('let suspended agents and Quarantines go with their namespace', async () => {
      await world().create([
        { kind: 'Namespace', metadata: { name: 'doomed' } },
        identity('killed', { suspended: true }, 'doomed'),
        quarantine('killed', { agent: 'killed' }, 'doomed'),
      ]);
      await world().make(remove({ kind: 'Namespace', name: 'doomed' }));
      await controlPlane().kubectl(['wait', '--for=delete', 'namespace/doomed', '--timeout=50s']);
    });
  });

  describe('about ungovern', () => {
    const missing = {
      policy: 'ungovern',
      says: `spec.enforcement: going from Enforce to DryRun needs the verb ungovern on agentidentities.agenttrust.dev/enforced in namespace ${AGENTS}. Ask for it, or leave Enforce`,
    };
    before(() => world().create([identity('enforced'), identity('recorded', { enforcement: 'DryRun' })]));

    it('reject going from Enforce to DryRun without the right to', async () => {
      await world().rejects(specOf('enforced', { enforcement: 'DryRun' }), EDITOR, missing);
      await world().accepts(specOf('enforced', { enforcement: 'DryRun' }), SECURITY);
      await world().accepts(specOf('recorded', { enforcement: 'Enforce' }), EDITOR);
      await world().accepts(specOf('recorded', { enforcement: null }), EDITOR);
      await world().accepts(specOf('recorded', { server: { port: 9443 } }), EDITOR);
    });

    it('reject making an agent with DryRun, which could take the place of an enforced one', async () => {
      const rejection = {
        policy: 'ungovern',
        says: `spec.enforcement: an agent with DryRun is open to every caller, and so are pods that a former one of its ServiceAccount kept closed. Making it needs the verb ungovern on agentidentities.agenttrust.dev/new in namespace ${AGENTS}. Ask for it, or leave Enforce`,
      };
      const made = identity('new', { enforcement: 'DryRun' });
      await world().rejects(create(made), EDITOR, rejection);
      await world().rejects(apply(made), EDITOR, rejection);
      await world().accepts(create(made), SECURITY);
      await world().accepts(create(identity('new', { enforcement: 'Enforce' })), EDITOR);
    });
  });

  describe('about ServiceAccounts of namespaces with agents', () => {
    const says = (plural: string, where = `in namespace ${AGENTS}`) =>
      `ServiceAccounts of namespaces with agents write no ${plural}.agenttrust.dev. What deploys from such a namespace needs the verb administer on agentidentities.agenttrust.dev ${where}`;
    const boundary: Manifest = {
      kind: 'CapabilityBoundary',
      metadata: { name: 'new' },
      spec: { namespaceSelector: {} },
    };

    it('reject all of our kinds, in every namespace, whatever RBAC says', async () => {
      const rejection = { policy: 'leash-kinds', says: says('agentidentities') };
      await world().rejects(create(identity('new')), AGENT, rejection);
      await world().rejects(specOf('edited', { suspended: true }), AGENT, rejection);
      await world().rejects(remove(agent('edited')), AGENT, rejection);
      const status = { ...agent('edited'), subresource: 'status' };
      await world().rejects(mergePatch(status, { status: { spiffeID: 'spiffe://x/y' } }), AGENT, rejection);
      const far = { policy: 'leash-kinds', says: says('agentidentities', `in namespace ${ELSEWHERE}`) };
      await world().rejects(create(identity('new', {}, ELSEWHERE)), AGENT, far);
      await world().rejects(create(boundary), AGENT, {
        policy: 'leash-kinds',
        says: says('capabilityboundaries', 'in the whole cluster'),
      });
    });

    it('accept those that hold administer, there', async () => {
      await world().accepts(specOf('edited', { suspended: true }), DEPLOYER);
      await world().rejects(create(identity('new', {}, ELSEWHERE)), DEPLOYER, {
        policy: 'leash-kinds',
        says: says('agentidentities', `in namespace ${ELSEWHERE}`),
      });
      await world().rejects(create(boundary), DEPLOYER, {
        policy: 'leash-kinds',
        says: says('capabilityboundaries', 'in the whole cluster'),
      });
    });

    it('accept those of other namespaces', async () => {
      await world().accepts(specOf('edited', { suspended: true }), OUTSIDER);
      await world().accepts(create(boundary), OUTSIDER);
    });
  });

  it('reject the processes of the operator wherever they write more than status', async () => {
    const rejection = {
      policy: 'fence-kinds',
      says: 'the processes of agent-trust write nothing of agenttrust.dev but status, and delete only TokenRevocations with spec.ttlAfterExpiry',
    };
    for (const caller of [CONTROLLER, WEBHOOK]) {
      await world().rejects(specOf('edited', { suspended: true }), caller, rejection);
      await world().rejects(remove(agent('edited')), caller, rejection);
    }
    const status = { ...agent('edited'), subresource: 'status' };
    await world().accepts(
      mergePatch(status, { status: { spiffeID: 'spiffe://cluster.local/ns/x/sa/y' } }),
      CONTROLLER,
    );
  });

  it('accept that the controller deletes a TokenRevocation that asks for it, and reject every other deletion', async () => {
    const revocation = (name: string, spec: object): Manifest => ({
      kind: 'TokenRevocation',
      metadata: { name, namespace: AGENTS },
      spec: { tokenID: 'j', ...spec },
    });
    const target = (name: string): Target => ({ kind: 'TokenRevocation', namespace: AGENTS, name });
    await world().create([revocation('passing', { ttlAfterExpiry: '0s' }), revocation('lasting', {})]);
    const rejection = {
      policy: 'fence-kinds',
      says: 'the processes of agent-trust write nothing of agenttrust.dev but status, and delete only TokenRevocations with spec.ttlAfterExpiry',
    };
    await world().accepts(remove(target('passing')), CONTROLLER);
    await world().rejects(remove(target('passing')), WEBHOOK, rejection);
    await world().rejects(remove(target('lasting')), CONTROLLER, rejection);
    await world().rejects(create(revocation('new', { ttlAfterExpiry: '0s' })), CONTROLLER, rejection);
  });
});
