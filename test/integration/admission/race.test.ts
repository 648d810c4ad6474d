/** Edits at the same time, each legal alone and illegal together: after all settle nothing exceeds a ceiling, and status says so. */

import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import type { DelegationPolicy } from '../../../src/api/delegation-policy.ts';
import { AGENT_IDENTITY, DELEGATION_POLICY } from '../../../src/api/group.ts';
import type { AgentId } from '../../../src/domain/delegation/facts.ts';
import { type AdminClient, adminClient } from '../../support/admin-client.ts';
import { type AdmissionCluster, useAdmissionCluster } from '../../support/admission/admission-cluster.ts';
import { create, type Manifest, mergePatch, type Request } from '../../support/admission/request.ts';
import {
  accountOfIdentity,
  openInMesh,
  openInWorld,
  serving,
  worldOnServer,
} from '../../support/admission/server-world.ts';
import { eventually } from '../../support/eventually.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { Swarm } from '../../support/swarm.ts';

const ROUNDS = 12;
const NAMESPACES = ['lowered', 'bounded', 'claimed', 'widened'];
const GET = { name: 'kubectl_get' };
const READ = { name: 'read_file' };
const STAGING = { name: 'kubectl_apply', resources: ['namespaces/staging/*'] };

type Outcome = 'done' | 'refused';

describe('edits at the same time', () => {
  const cluster = useAdmissionCluster({ governed: NAMESPACES });
  let admin: AdminClient;
  let mesh: MeshCluster;

  before(async () => {
    admin = await adminClient(cluster().controlPlane);
    mesh = new MeshCluster(new Swarm(admin));
    for (const namespace of NAMESPACES)
      await mesh.label({ 'istio-injection': 'enabled', team: namespace }, namespace);
  });
  after(() => admin?.close());

  function agent(namespace: string, name: string, spec: AgentIdentity['spec']): Manifest {
    return { kind: 'AgentIdentity', metadata: { name, namespace }, spec };
  }

  function delegation(namespace: string, name: string, rule: object): Manifest {
    return { kind: 'DelegationPolicy', metadata: { name, namespace }, spec: { rules: [rule] } };
  }

  async function make(...manifests: readonly Manifest[]): Promise<void> {
    for (const manifest of manifests) {
      const { namespace = '', name = '' } = manifest.metadata;
      if (manifest.kind === 'AgentIdentity')
        await cluster().make({ kind: 'ServiceAccount', metadata: { namespace, name } });
      await cluster().make(manifest);
    }
  }

  /** All at once. */
  function race(requests: readonly Request[]): Promise<readonly Outcome[]> {
    return Promise.all(requests.map((request) => outcome(cluster(), request)));
  }

  /** Waits until the walls let in exactly whom the reference lets in by the objects on the server. */
  async function settles(namespace: string): Promise<void> {
    await eventually('the walls to be as the objects say', async () => {
      const whole = await worldOnServer(admin.client, NAMESPACES);
      // One namespace at a time: the controller lives in this process, and the evaluator takes its time from it.
      const world = { ...whole, agents: whole.agents.filter((each) => each.namespace === namespace) };
      const { items } = await admin.client.list<AgentIdentity>(AGENT_IDENTITY, { namespace });
      const accounts = new Map(items.map((each) => [each.metadata.name, accountOfIdentity(each)]));
      const accountOf = (id: AgentId): string => accounts.get(id.slice(namespace.length + 1)) ?? '';
      const served = { ...world, agents: world.agents.filter(({ isServed }) => isServed) };
      const opened = openInMesh(served, await mesh.policies([namespace]), accountOf);
      expect(opened).to.deep.equal(openInWorld(world));
      return true;
    });
  }

  /** Waits until `check` accepts the reasons of the problems that each policy of a namespace reports. */
  async function told(
    namespace: string,
    check: (reasons: ReadonlyMap<string, readonly string[]>) => void,
  ): Promise<void> {
    await eventually('the status of every policy', async () => {
      const { items } = await admin.client.list<DelegationPolicy>(DELEGATION_POLICY, { namespace });
      for (const { metadata, status } of items)
        expect(status?.observedGeneration, metadata.name).to.equal(metadata.generation);
      const reasons = items.map(
        ({ metadata, status }) =>
          [metadata.name, (status?.problems ?? []).map(({ reason }) => reason)] as const,
      );
      check(new Map(reasons));
      return true;
    });
  }

  it('that lower a ceiling while a policy begins to use it', async () => {
    const namespace = 'lowered';
    const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
    for (const round of rounds)
      await make(
        agent(namespace, `from-${round}`, serving([GET, READ])),
        agent(namespace, `to-${round}`, serving([GET, READ])),
      );
    await settles(namespace);
    const outcomes = await race(
      rounds.flatMap((round) => [
        create(
          delegation(namespace, `uses-${round}`, {
            from: `from-${round}`,
            to: [`to-${round}`],
            capabilities: [READ],
          }),
        ),
        mergePatch(
          { kind: 'AgentIdentity', namespace, name: round % 2 === 0 ? `from-${round}` : `to-${round}` },
          { spec: serving([GET]) },
        ),
      ]),
    );
    expect(outcomes.filter((each, index) => index % 2 === 1 && each === 'refused')).to.deep.equal([]);
    await settles(namespace);
    await told(namespace, (reported) => {
      for (const round of rounds) {
        const isStored = outcomes[2 * round] === 'done';
        const reason = round % 2 === 0 ? 'NotInCeilingOfFrom' : 'NotInAnyCeiling';
        expect(reported.get(`uses-${round}`)).to.deep.equal(isStored ? [reason] : undefined);
      }
    });
  });

  it('that raise a ceiling while a boundary is lowered', async () => {
    const namespace = 'bounded';
    const house = (capabilities: readonly object[]): Manifest => ({
      kind: 'CapabilityBoundary',
      metadata: { name: 'house' },
      spec: { namespaceSelector: { matchLabels: { team: namespace } }, capabilities },
    });
    await make(house([GET, READ, STAGING]));
    const rounds = Array.from({ length: ROUNDS }, (_, round) => round);
    await make(
      agent(namespace, 'from', serving([GET, READ, STAGING])),
      ...rounds.map((round) => agent(namespace, `to-${round}`, serving([GET]))),
    );
    await settles(namespace);
    const outcomes = await race([
      mergePatch({ kind: 'CapabilityBoundary', name: 'house' }, { spec: { capabilities: [GET] } }),
      ...rounds.map((round) =>
        mergePatch(
          { kind: 'AgentIdentity', namespace, name: `to-${round}` },
          { spec: serving([GET, READ, STAGING]) },
        ),
      ),
      ...rounds.map((round) =>
        create(
          delegation(namespace, `uses-${round}`, {
            from: 'from',
            to: [`to-${round}`],
            capabilities: [GET, READ],
          }),
        ),
      ),
    ]);
    expect(outcomes.slice(0, 1 + ROUNDS)).to.deep.equal(Array.from({ length: 1 + ROUNDS }, () => 'done'));
    await settles(namespace);
    await told(namespace, (reported) => {
      for (const reasons of reported.values()) expect(reasons).to.deep.equal(['OutsideBoundary']);
    });
  });

  it('that make agents of one ServiceAccount', async () => {
    const namespace = 'claimed';
    await make(agent(namespace, 'target', serving([GET])));
    await cluster().make({ kind: 'ServiceAccount', metadata: { namespace, name: 'one' } });
    const names = Array.from({ length: ROUNDS }, (_, index) => `claims-${index}`);
    const outcomes = await race(
      names.flatMap((name) => [
        create(agent(namespace, name, serving([GET], { serviceAccountName: 'one' }))),
        create(delegation(namespace, name, { from: name, to: ['target'], capabilities: [GET] })),
      ]),
    );
    expect(outcomes).to.include('done');
    const stored = (await admin.client.list<AgentIdentity>(AGENT_IDENTITY, { namespace })).items.filter(
      (each) => accountOfIdentity(each) === 'one',
    );
    expect(stored.length).to.be.at.least(1);
    await settles(namespace);
    const reasons = await eventually('every claimant to be told', async () => {
      const { items } = await admin.client.list<AgentIdentity>(AGENT_IDENTITY, { namespace });
      const ready = items
        .filter((each) => accountOfIdentity(each) === 'one')
        .map(({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.reason ?? '');
      expect(ready).to.not.include('Pending').and.not.include('');
      expect(ready.filter((reason) => reason === 'Issued')).to.have.length(1);
      return ready;
    });
    expect(reasons.filter((reason) => reason !== 'Issued')).to.deep.equal(
      Array.from({ length: stored.length - 1 }, () => 'ServiceAccountTaken'),
    );
  });

  it('that widen from all sides', async () => {
    const namespace = 'widened';
    const names = Array.from({ length: ROUNDS }, (_, index) => `agent-${index}`);
    await make(...names.map((name) => agent(namespace, name, serving([GET, READ]))));
    const next = (index: number): string => names[(index + 1) % ROUNDS] ?? '';
    const outcomes = await race(
      names.flatMap((name, index) => [
        create(delegation(namespace, `get-${index}`, { from: name, to: [next(index)], capabilities: [GET] })),
        create(
          delegation(namespace, `read-${index}`, { from: name, to: [next(index)], capabilities: [READ] }),
        ),
        mergePatch(
          { kind: 'AgentIdentity', namespace, name },
          { spec: index % 3 === 0 ? { suspended: true } : serving(index % 3 === 1 ? [GET] : [READ]) },
        ),
      ]),
    );
    expect(outcomes.filter((_, index) => index % 3 === 2)).to.not.include('refused');
    await settles(namespace);
    await told(namespace, (reported) => expect([...reported.values()].flat()).to.not.deep.equal([]));
  });
});

/** Refused by a policy or the webhook, or done; anything else is an error. Asked again when the webhook was not heard in time. */
async function outcome(cluster: AdmissionCluster, request: Request): Promise<Outcome> {
  const answer = await eventually('the webhook to be heard', async () => {
    const said = await cluster.ask(request);
    return ('warnings' in said || !said.by.startsWith('absent webhook ')) && said;
  });
  if ('warnings' in answer) return 'done';
  if (/^(policy|webhook) /.test(answer.by)) return 'refused';
  throw new Error(`${answer.status} ${answer.by}: ${answer.says}`);
}
