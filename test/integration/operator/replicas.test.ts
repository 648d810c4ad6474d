/** Two replicas as processes of their own: the leader is killed, stopped or paused, and the other goes on. */

import { expect } from 'chai';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import { getOrInsert } from '../../../src/domain/delegation/get-or-insert.ts';
import { SECRET } from '../../../src/kube/core-types.ts';
import { type AuditedWrite, auditedWrites, overlaps, termsOf } from '../../support/audit-log.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { STEADY_LEASE } from '../../support/crash.ts';
import { eventually } from '../../support/eventually.ts';
import { type Replica, startReplica } from '../../support/replica.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';
import { defects } from '../../support/wholeness.ts';

/** Of a leader that is told to end: nobody waits for it to run out. */
const LONG_LEASE = ['--lease-duration=120s', '--renew-deadline=80s'];
const AGENTS_AT_ONCE = 60;
/** For each agent a certificate and signing keys. */
const SECRETS_AT_ONCE = 2 * AGENTS_AT_ONCE;
/** Of those, when the leader is interrupted. */
const SECRETS_AT_INTERRUPTION = 5;
/** Whoever has written nothing for so long has nothing to write. */
const QUIET_MS = 6_000;
const CONTROLLER = 'controller="agentidentity"';

describe('two replicas', () => {
  const controlPlane = useControlPlane({ auditLog: true });
  const swarm = useSwarm(controlPlane);
  /** In the order in which they led. */
  const replicas: Replica[] = [];

  after(() => Promise.all(replicas.map(({ process }) => process.kill())));

  async function start(name: string, flags: readonly string[]): Promise<Replica> {
    const all = [`--namespaces=${AGENTS}`, ...flags];
    const replica = await startReplica({ controlPlane: controlPlane(), name, flags: all });
    replicas.push(replica);
    return replica;
  }

  /** A leader, and another that waits. */
  async function pair(
    name: string,
    flags: readonly string[] = STEADY_LEASE,
  ): Promise<readonly [Replica, Replica]> {
    const leader = await start(`${name}-leader`, flags);
    await leader.leads();
    const other = await start(`${name}-other`, flags);
    await other.standsBy();
    return [leader, other];
  }

  /** Agents `<name>-0`, `<name>-1`, ...; resolves in the middle of their issuance, with what resolves when all exist. */
  async function beginAgents(name: string): Promise<{ readonly all: Promise<unknown> }> {
    const all = Promise.all(
      Array.from({ length: AGENTS_AT_ONCE }, (_, at) => swarm().createAgent(`${name}-${at}`)),
    );
    await eventually('the first Secrets', async () => (await secrets(name)) >= SECRETS_AT_INTERRUPTION);
    return { all };
  }

  async function secrets(name: string): Promise<number> {
    const { items } = await swarm().client.list(SECRET, { namespace: AGENTS, metadataOnly: true });
    return items.filter(({ metadata }) => metadata.name.startsWith(`${name}-`)).length;
  }

  async function isWhole(): Promise<void> {
    const check = async (): Promise<boolean> => {
      const found = await defects(swarm());
      if (found.length > 0) throw new Error(found.slice(0, 5).join('; '));
      return true;
    };
    await eventually('every identity to be whole', check);
  }

  /** A bundle waits for two seconds for more that belongs into it. */
  async function hasNothingLeft({ credentialId }: Replica): Promise<void> {
    await eventually('the leader to have nothing left to write', async () => {
      const last = (await auditedWrites(controlPlane(), [credentialId])).at(-1);
      return Date.now() - Date.parse(last?.answeredAt ?? '') > QUIET_MS;
    });
  }

  it('go on when the leader is killed in the middle', async () => {
    const [leader, other] = await pair('killed');
    const { all } = await beginAgents('killed');
    await leader.process.kill();
    await all;
    expect(await secrets('killed')).to.be.below(SECRETS_AT_ONCE);
    await other.leads();
    await isWhole();
    expect(await other.process.stop()).to.equal('exit status 0');
  });

  it('go on at once when the leader is told to end in the middle', async () => {
    const [leader, other] = await pair('stopped', LONG_LEASE);
    const { all } = await beginAgents('stopped');
    const stoppedAtMs = performance.now();
    leader.process.signal('SIGTERM');
    await other.leads();
    expect(performance.now() - stoppedAtMs).to.be.below(60_000);
    expect(await leader.process.exited()).to.equal('exit status 0');
    await all;
    await isWhole();
    expect(await other.process.stop()).to.equal('exit status 0');
  });

  for (const name of ['first-pause', 'second-pause', 'third-pause']) {
    it(`refuse what a leader begins to write that was paused past its lease (${name})`, async () => {
      const [leader, other] = await pair(name);
      const { all } = await beginAgents(name);
      leader.process.signal('SIGSTOP');
      await all;
      expect(await secrets(name)).to.be.below(SECRETS_AT_ONCE);
      await other.leads();
      const agent = (at: number) => ({ namespace: AGENTS, name: `${name}-${at}` });
      await swarm().client.delete(AGENT_IDENTITY, agent(0));
      await swarm().client.mergePatch(AGENT_IDENTITY, { ...agent(1), patch: { spec: { suspended: true } } });
      const certificate = { secretName: `${name}-renamed` };
      await swarm().client.mergePatch(AGENT_IDENTITY, { ...agent(2), patch: { spec: { certificate } } });
      await isWhole();
      leader.process.signal('SIGCONT');
      expect(await leader.process.exited()).to.equal('exit status 1');
      const reason = 'leader election lost: no renewal succeeded in time';
      await eventually('the log to say why', async () => (await leader.log()).includes(reason));
      await isWhole();
      expect(await other.process.stop()).to.equal('exit status 0');
    });
  }

  it('take over the ledger and the state of the authority, and write nothing else when everything is well', async () => {
    const before = await start('settling', []);
    await before.leads();
    await hasNothingLeft(before);
    expect(await before.process.stop()).to.equal('exit status 0');
    const { items } = await swarm().client.list(AGENT_IDENTITY);
    const replica = await start('idle', []);
    await replica.leads();
    await eventually(
      'every identity to have been looked at',
      async () =>
        (await replica.process.metric('controller_runtime_reconcile_total', CONTROLLER)) >= items.length,
    );
    expect(await replica.process.stop()).to.equal('exit status 0');
    const writes = await auditedWrites(controlPlane(), [replica.credentialId]);
    expect(writes.map(({ what }) => what)).to.deep.equal([
      'update configmaps agent-trust-system/agent-trust-ledger-1',
      'update configmaps agent-trust-system/agent-trust-authority-state',
    ]);
  });

  it('never write at the same time', async () => {
    const names = new Map(replicas.map(({ credentialId, name }) => [credentialId, name]));
    const ids = [...names.keys()];
    const { inOrder, late } = apart(await auditedWrites(controlPlane(), ids), ids);
    for (const [id, writes] of late) {
      // A process that is paused between its look at the Lease and the system call sends that one request when it goes on.
      expect(names.get(id), writes.join()).to.match(/-pause-leader$/);
      expect(writes).to.have.length(1);
    }
    const terms = termsOf(inOrder);
    expect(overlaps(terms)).to.deep.equal([]);
    expect(terms.map(({ credentialId }) => names.get(credentialId))).to.deep.equal([...names.values()]);
  });
});

/** Tells writes that come after one of a later leader, by who wrote them, from all others. `ids`: leaders in their order. */
function apart(
  writes: readonly AuditedWrite[],
  ids: readonly string[],
): { readonly inOrder: readonly AuditedWrite[]; readonly late: ReadonlyMap<string, readonly string[]> } {
  const inOrder: AuditedWrite[] = [];
  const late = new Map<string, string[]>();
  let leader = 0;
  for (const write of writes) {
    const at = ids.indexOf(write.credentialId);
    leader = Math.max(leader, at);
    if (at === leader) inOrder.push(write);
    else getOrInsert(late, write.credentialId, () => []).push(`${write.status} ${write.what}`);
  }
  return { inOrder, late };
}
