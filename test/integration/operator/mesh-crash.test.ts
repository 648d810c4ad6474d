/**
 * Wherever the operator dies on the way from one graph to the next, the objects on the server let in nobody whom neither
 * of the two lets in. Every write is looked at, and again and again the operator really dies before one.
 */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { AgentId } from '../../../src/domain/delegation/facts.ts';
import { canonical } from '../../../src/domain/mesh/canonical.ts';
import { planMesh } from '../../../src/domain/mesh/plan.ts';
import { SERVICE_ACCOUNT } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { vacateLease } from '../../support/crash.ts';
import { eventually } from '../../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { meshAllows } from '../../support/mesh/evaluate.ts';
import { applyIstioCrds } from '../../support/mesh/istio-crds.ts';
import {
  accountOf,
  type MeshWorld,
  podLabels,
  referenceAnswer,
  SCRAPER,
  targetsOf,
  type WorldCall,
} from '../../support/mesh/mesh-world.ts';
import {
  agentsOf,
  type Change,
  changeAgent,
  EMPTY_WORLD,
  randomChange,
  write,
} from '../../support/mesh-changes.ts';
import { MeshCluster } from '../../support/mesh-cluster.ts';
import { type HistoryStep, MeshHistory } from '../../support/mesh-history.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import type { ProxiedRequest } from '../../support/proxied-request.ts';
import { agentIds, Dice } from '../../support/random-world.ts';
import { useSwarm } from '../../support/swarm.ts';

const SEED = 20_260_101;
const CHANGES = 100;
const MAX_AGENTS = 8;
const NAMESPACES = ['north', 'south'];
const TIMEOUT_MS = 15 * 60_000;
const MESH_KINDS = ['authorizationpolicies', 'peerauthentications', 'networkpolicies'];
const ROUTES: readonly Pick<WorldCall, 'method' | 'path' | 'port'>[] = [
  { method: 'POST', path: '/v1/delegate', port: 8443 },
  { method: 'POST', path: '/v1/reports/x', port: 8443 },
  { method: 'GET', path: '/v1/reports/x', port: 8443 },
  ...['read', 'write', 'deploy'].map((name) => ({ method: 'POST', path: `/v1/tools/${name}`, port: 8443 })),
  { method: 'GET', path: '/healthz', port: 8443 },
  { method: 'GET', path: '/metrics', port: 9090 },
  { method: 'DELETE', path: '/elsewhere', port: 8443 },
];
const AGENTS = agentIds(MAX_AGENTS).map(accountOf);
const CALLERS = [...AGENTS, SCRAPER, { namespace: 'north', serviceAccountName: 'stranger' }];

function isMeshWrite({ method, resource }: ProxiedRequest): boolean {
  return method !== 'GET' && MESH_KINDS.includes(resource);
}

/** The agent whose object it is. */
function agentOf({ object }: HistoryStep): AgentId {
  return `${object.metadata.namespace}/${object.metadata.labels?.['agenttrust.dev/agent'] ?? ''}`;
}

/** Calls to an agent that the mesh alone lets through although neither world does: it has to hold where no NetworkPolicy does. */
function holes(step: HistoryStep, to: AgentId, worlds: readonly MeshWorld[]): readonly string[] {
  const account = accountOf(to);
  const pod = { namespace: account.namespace, labels: podLabels(account), trustDomain: 'cluster.local' };
  return CALLERS.flatMap((from) =>
    ROUTES.filter((route) => {
      const request = {
        principal: `cluster.local/ns/${from.namespace}/sa/${from.serviceAccountName}`,
        namespace: from.namespace,
        labels: AGENTS.includes(from) ? podLabels(from) : {},
        tokenVerified: true,
        ...route,
      };
      return (
        meshAllows(step.after, pod, request).allowed &&
        worlds.every((world) => referenceAnswer(world, { from, to, ...route }) === 'nobody')
      );
    }).map(({ method, path }) => `${from.namespace}/${from.serviceAccountName} ${method} ${to}${path}`),
  );
}

describe('on the way from one graph to the next', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane, NAMESPACES);
  const dice = new Dice(SEED);
  let cluster: MeshCluster;
  let history: MeshHistory;
  let operator: RunningOperator;
  let proxy: FaultProxy;
  let deaths = 0;

  /** It dies before its `fatal`-th write of the mesh; with 0 it lives. */
  async function start(fatal: number): Promise<void> {
    const target = { server: controlPlane().server, ca: readFileSync(controlPlane().caPath, 'utf8') };
    proxy = await startFaultProxy(target);
    let writes = 0;
    let isDead = false;
    proxy.inject({ on: () => isDead, fault: { kind: 'silence', at: 'request' } });
    proxy.inject({
      on: (request) => {
        if (isMeshWrite(request)) writes += 1;
        if (fatal > 0 && writes === fatal && !isDead) {
          isDead = true;
          died();
        }
        return isDead;
      },
      fault: { kind: 'silence', at: 'request' },
    });
    const { server, ca } = proxy;
    operator = await startOperator({
      controlPlane: controlPlane(),
      flags: [`--namespaces=${NAMESPACES.join(',')}`],
      via: { server, ca },
    });
  }

  let died: () => void = () => {};

  /** Another takes over at once. */
  async function succeed(): Promise<void> {
    deaths += 1;
    await operator.kill();
    await proxy.close();
    await vacateLease(swarm().client);
    await start(dice.chance(0.5) ? 1 + dice.below(8) : 0);
  }

  before(async function () {
    this.timeout(TIMEOUT_MS);
    await applyIstioCrds(controlPlane());
    cluster = new MeshCluster(swarm());
    history = new MeshHistory(swarm().client);
    for (const name of NAMESPACES) await cluster.label({ zone: name, 'istio-injection': 'enabled' }, name);
    for (const id of agentIds(MAX_AGENTS)) {
      const { namespace, serviceAccountName: name } = accountOf(id);
      await swarm().client.create(SERVICE_ACCOUNT, { metadata: { namespace, name } });
    }
    await history.start();
    await start(0);
  });
  after(async () => {
    await history?.stop();
    await operator?.stop();
    await proxy?.close();
  });

  /** Waits until what the graph asks for is there, and lives through every death on the way. */
  async function settled(world: MeshWorld): Promise<void> {
    const facts = { trustDomain: 'cluster.local', servesIstio: true, dataPlane: 'sidecar' } as const;
    const wanted = targetsOf(world)
      .map((target) => (target.state === 'closed' ? { ...target, state: 'killed' as const } : target))
      .flatMap((target) => Object.values(planMesh(target, facts).objects))
      .map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${canonical(spec)}`)
      .sort();
    for (;;) {
      let isDead = false;
      died = () => {
        isDead = true;
      };
      const seen = await eventually('the objects to be those of the graph', async () => {
        if (isDead) return 'death' as const;
        const found = (await cluster.policies(NAMESPACES)).map(
          ({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${canonical(spec)}`,
        );
        expect(found.sort()).to.deep.equal(wanted);
        return 'whole' as const;
      });
      if (seen === 'whole') return;
      await succeed();
    }
  }

  async function live(change: Change, before: MeshWorld): Promise<number> {
    await write(swarm().client, change.written);
    await settled(change.world);
    const steps = await history.steps();
    for (const [at, step] of steps.entries()) {
      const to = agentOf(step);
      // Of an agent that is gone and has no pod there is nothing to guard.
      if (!agentsOf(change.world.world).has(to)) continue;
      const found = holes(step, to, [before, change.world]);
      expect(found, `${change.what}, after write ${at + 1} of ${steps.length}`).to.deep.equal([]);
    }
    return steps.length;
  }

  it(`lets in nobody whom neither lets in, at any of the writes of ${CHANGES} changes`, async function () {
    this.timeout(TIMEOUT_MS);
    let world = EMPTY_WORLD;
    let writes = 0;
    for (const id of agentIds(MAX_AGENTS)) {
      const change = changeAgent(dice, world, id);
      writes += await live(change, world);
      world = change.world;
    }
    for (let count = 0; count < CHANGES; ) {
      if (dice.chance(0.3)) await succeed();
      const change = randomChange(dice, world, MAX_AGENTS);
      const steps = await live(change, world);
      // Many a change is none for those who are called.
      if (steps > 0) count += 1;
      writes += steps;
      world = change.world;
    }
    expect(writes).to.be.above(CHANGES);
    expect(deaths).to.be.above(CHANGES / 4);
  });
});
