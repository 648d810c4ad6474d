/** A key that may not live on does not, whatever somebody with rights in the namespace does to keep it. */

import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import type { AgentIdentity } from '../../../src/api/agent-identity.ts';
import { AGENT_IDENTITY } from '../../../src/api/group.ts';
import type { Secret } from '../../../src/controllers/identity/secret.ts';
import { SECRET } from '../../../src/kube/core-types.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

const STRIPPED = { metadata: { labels: null, annotations: null, ownerReferences: null } };

describe('a key that may not live on', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  const start = (): Promise<RunningOperator> =>
    startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });

  before(async () => {
    operator = await start();
  });
  after(() => operator?.stop());

  async function patch(kind: 'secret' | 'aid', name: string, change: object): Promise<void> {
    await controlPlane().kubectl([
      'patch',
      kind,
      name,
      '-n',
      AGENTS,
      '--type=merge',
      '-p',
      JSON.stringify(change),
    ]);
  }

  function keyOf(secret: Secret | undefined): string {
    return secret?.data?.['tls.key'] ?? '';
  }

  it('goes although the Secret is immutable and a finalizer holds it', async () => {
    await swarm().createAgent('held');
    await swarm().ready('held');
    await operator.stop();
    await patch('secret', 'held-tls', { immutable: true, metadata: { finalizers: ['example.com/keep'] } });
    await patch('aid', 'held', { spec: { suspended: true } });
    operator = await start();
    await swarm().ready('held', 'Quarantined');
    expect(await swarm().secret('held-tls')).to.equal(undefined);
  });

  it('goes although a finalizer holds the Secret, which stays empty', async () => {
    await swarm().createAgent('emptied');
    await swarm().ready('emptied');
    await patch('secret', 'emptied-tls', { metadata: { finalizers: ['example.com/keep'] } });
    await controlPlane().kubectl(['delete', 'aid', 'emptied', '-n', AGENTS]);
    await eventually('the Secret to be empty', async () => {
      const secret = await swarm().secret('emptied-tls');
      return secret !== undefined && keyOf(secret) === '' && secret.metadata.deletionTimestamp !== undefined;
    });
    await patch('secret', 'emptied-tls', { metadata: { finalizers: null } });
    await eventually(
      'the Secret to be gone',
      async () => (await swarm().secret('emptied-tls')) === undefined,
    );
  });

  it('goes although every mark of ours was taken off while the operator was away', async () => {
    await swarm().createAgent('unmarked');
    await swarm().ready('unmarked');
    await operator.stop();
    await patch('secret', 'unmarked-tls', STRIPPED);
    await patch('aid', 'unmarked', { spec: { suspended: true } });
    operator = await start();
    await swarm().ready('unmarked', 'Quarantined');
    expect(await swarm().secret('unmarked-tls')).to.equal(undefined);
  });

  it('goes although another stands in its file, of a kind that cannot be compared', async () => {
    await swarm().createAgent('disguised');
    await swarm().ready('disguised');
    await operator.stop();
    const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await patch('secret', 'disguised-tls', { data: { 'tls.key': Buffer.from(pem).toString('base64') } });
    await patch('aid', 'disguised', { spec: { suspended: true } });
    operator = await start();
    await swarm().ready('disguised', 'Quarantined');
    expect(await swarm().secret('disguised-tls')).to.equal(undefined);
  });

  it('goes when deletion is asked for, whatever finalizer holds the AgentIdentity', async () => {
    await swarm().createAgent('lingering');
    await swarm().ready('lingering');
    await patch('aid', 'lingering', { metadata: { finalizers: ['example.com/keep'] } });
    await controlPlane().kubectl(['delete', 'aid', 'lingering', '-n', AGENTS, '--wait=false']);
    await swarm().ready('lingering', 'Deleting');
    expect(await swarm().secret('lingering-tls')).to.equal(undefined);
    await patch('aid', 'lingering', { metadata: { finalizers: null } });
    await eventually('the identity to be gone', async () => {
      return (
        (await swarm().client.find(AGENT_IDENTITY, { namespace: AGENTS, name: 'lingering' })) === undefined
      );
    });
  });

  it('is not taken back from a copy after the suspension was lifted', async () => {
    await swarm().createAgent('restored');
    await swarm().ready('restored');
    const saved = (await swarm().secret('restored-tls'))?.data;
    await patch('aid', 'restored', { spec: { suspended: true } });
    await swarm().ready('restored', 'Quarantined');
    await patch('aid', 'restored', { spec: { suspended: false } });
    await swarm().ready('restored');
    await patch('secret', 'restored-tls', { data: saved });
    await eventually('the old key to be replaced', async () => {
      const key = keyOf(await swarm().secret('restored-tls'));
      return key !== '' && key !== saved?.['tls.key'];
    });
  });

  it('is not left behind under a former name', async () => {
    await swarm().createAgent('moved');
    await swarm().ready('moved');
    await patch('aid', 'moved', { spec: { certificate: { secretName: 'moved-again' } } });
    await swarm().ready('moved');
    await eventually(
      'the former Secret to be wiped',
      async () => (await swarm().secret('moved-tls')) === undefined,
    );
    expect(keyOf(await swarm().secret('moved-again'))).to.not.equal('');
  });

  it('does not cost a Secret of an AgentIdentity of another API group', async () => {
    const foreign: Secret = {
      metadata: {
        name: 'foreign-tls',
        namespace: AGENTS,
        ownerReferences: [
          { apiVersion: 'identity.example.com/v1', kind: 'AgentIdentity', name: 'foreign', uid: 'f-1' },
        ],
      },
      type: 'Opaque',
      data: { password: 'eA==' },
    };
    await swarm().client.create(SECRET, foreign);
    await swarm().createAgent('foreign');
    await swarm().ready('foreign', 'SecretConflict');
    expect((await swarm().secret('foreign-tls'))?.data).to.deep.equal({ password: 'eA==' });
  });

  it('does not stand in an annotation that kubectl keeps', async () => {
    await swarm().createAgent('copied');
    await swarm().ready('copied');
    const { stdout } = await controlPlane().kubectl([
      'get',
      'secret',
      'copied-tls',
      '-n',
      AGENTS,
      '-o',
      'json',
    ]);
    await controlPlane().kubectl(['apply', '-f', '-'], { stdin: stdout });
    await patch('secret', 'copied-tls', { data: { 'ca.crt': 'eA==' } });
    await eventually('the copy to be gone with the next repair', async () => {
      const secret = await swarm().secret('copied-tls');
      const copy = secret?.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
      return secret?.data?.['ca.crt'] !== 'eA==' && copy === undefined;
    });
  });
});

describe('mending that somebody undoes again and again', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator;
  let nextTryMs = Number.NaN;

  before(async () => {
    operator = await startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
  });
  after(() => operator?.stop());

  /** Deletes the Secret, and gives what says that mending pauses; undefined when there is another one. */
  async function pauseAfterDeletion(): Promise<string | undefined> {
    const before = (await swarm().secret('undone-tls'))?.metadata.uid;
    await controlPlane().kubectl(['delete', 'secret', 'undone-tls', '-n', AGENTS]);
    const { pause } = await eventually('another Secret, or a pause', async () => {
      const secret = await swarm().secret('undone-tls');
      if (secret !== undefined && secret.metadata.uid !== before) return { pause: undefined };
      const { status } = await swarm().identity('undone');
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return ready?.reason === 'RepairLoop' && { pause: ready.message };
    });
    return pause;
  }

  it('pauses after six rounds, says so, and harms nobody else', async () => {
    await swarm().createAgent('undone');
    await swarm().ready('undone');
    let rounds = 0;
    let pause = await pauseAfterDeletion();
    for (; pause === undefined; pause = await pauseAfterDeletion()) rounds++;
    // The first may count as issuing: the operator need not have seen its own status yet.
    expect(rounds).to.be.within(6, 7);
    expect(pause).to.match(/^Mended more than six times/);
    await swarm().createAgent('other');
    await swarm().ready('other');
    nextTryMs = nextTryIn(pause);
  });

  it('pauses to the end whatever else is done with the agent, and longer the next time', async () => {
    const edited = await swarm().client.mergePatch<AgentIdentity>(AGENT_IDENTITY, {
      ...{ namespace: AGENTS, name: 'undone' },
      patch: { spec: { capabilities: [{ name: 'kubectl_get' }] } },
    });
    await eventually('the operator to have looked', async () => {
      return (await swarm().identity('undone')).status?.observedGeneration === edited.metadata.generation;
    });
    await swarm().ready('undone');
    const mendedMs = Date.parse((await swarm().secret('undone-tls'))?.metadata.creationTimestamp ?? '');
    expect(mendedMs).to.be.at.least(nextTryMs);
    const pause = await pauseAfterDeletion();
    // A minute, from a moment before the Secret was there.
    expect(nextTryIn(pause ?? '') - mendedMs).to.be.above(30_000);
  });
});

/** Milliseconds since the Unix epoch. */
function nextTryIn(message: string): number {
  return Date.parse(/Next try at (\S+Z)\./.exec(message)?.[1] ?? '');
}
