/** Requests of a leader that died, which arrive when another has taken over long ago. */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import type { StatusApply } from '../../../src/kube/client.ts';
import { SECRET } from '../../../src/kube/core-types.ts';
import { caughtKubeError } from '../../support/caught.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { Crash, STEADY_LEASE, vacateLease } from '../../support/crash.ts';
import { isWriteOfTheLoop } from '../../support/crash-rounds.ts';
import { eventually } from '../../support/eventually.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';
import { defects } from '../../support/wholeness.ts';

describe('a request of an older leader', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let successor: RunningOperator | undefined;

  afterEach(async () => {
    await successor?.stop();
    successor = undefined;
  });

  /**
   * An agent is created, a leader dies just before it sends the request, and another serves the agent.
   *
   * @returns the body of the request, which is still on its way.
   */
  async function withhold(name: string, point: string): Promise<unknown> {
    await swarm().createAgent(name);
    const proxy = await startFaultProxy({
      server: controlPlane().server,
      ca: readFileSync(controlPlane().caPath, 'utf8'),
    });
    const crash = new Crash(proxy, { when: 'request', point, counts: isWriteOfTheLoop });
    const leader = await start({ server: proxy.server, ca: proxy.ca });
    await eventually(`a death at ${point}`, () => crash.isOver);
    const withheld = proxy.journal.find(({ outcome }) => outcome === 'withheld');
    await leader.kill();
    await proxy.close();
    await vacateLease(swarm().client);
    successor = await start();
    await isWhole();
    return withheld?.request.body;
  }

  function start(via?: { readonly server: URL; readonly ca: string }): Promise<RunningOperator> {
    return startOperator({
      controlPlane: controlPlane(),
      flags: [`--namespaces=${AGENTS}`, ...STEADY_LEASE],
      ...(via === undefined ? {} : { via }),
    });
  }

  async function isWhole(): Promise<void> {
    const check = async (): Promise<boolean> => {
      expect(await defects(swarm())).to.deep.equal([]);
      return true;
    };
    await eventually('every identity to be whole', check);
  }

  it('brings no key back for an identity that was deleted', async () => {
    const late = (await withhold('deleted', `POST secrets ${AGENTS}/deleted-tls #1`)) as Secret;
    await swarm().client.delete(AGENT_IDENTITY, { namespace: AGENTS, name: 'deleted' });
    await isWhole();
    const { metadata } = await swarm().client.create<Secret>(SECRET, late);
    await eventually(
      'the late Secret to be gone',
      async () => (await swarm().secret(metadata.name)) === undefined,
    );
  });

  it('brings no key back for an identity that was suspended', async () => {
    const late = (await withhold('suspended', `POST secrets ${AGENTS}/suspended-tls #1`)) as Secret;
    const target = { namespace: AGENTS, name: 'suspended' };
    await swarm().client.mergePatch(AGENT_IDENTITY, { ...target, patch: { spec: { suspended: true } } });
    await isWhole();
    const { metadata } = await swarm().client.create<Secret>(SECRET, late);
    await eventually(
      'the late Secret to be gone',
      async () => (await swarm().secret(metadata.name)) === undefined,
    );
    await isWhole();
  });

  it('does not replace a key that the new leader has issued', async () => {
    const late = (await withhold('served', `POST secrets ${AGENTS}/served-tls #1`)) as Secret;
    const before = await swarm().secret('served-tls');
    expect((await caughtKubeError(swarm().client.create<Secret>(SECRET, late))).code).to.equal(
      'KUBE_ALREADY_EXISTS',
    );
    expect(await swarm().secret('served-tls')).to.deep.equal(before);
  });

  it('does not leave an outdated status behind', async () => {
    const late = (await withhold('told', `PATCH agentidentities/status ${AGENTS}/told #1`)) as StatusApply;
    const target = { namespace: AGENTS, name: 'told' };
    const patch = { spec: { certificate: { duration: '12h' } } };
    await swarm().client.mergePatch<AgentIdentity>(AGENT_IDENTITY, { ...target, patch });
    await isWhole();
    await swarm().client.applyStatus(AGENT_IDENTITY, late);
    await isWhole();
  });
});
