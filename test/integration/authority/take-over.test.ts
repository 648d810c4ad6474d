/** What a new leader finds half done, or altered while nobody led, it knows for what it is. */

import { expect } from 'chai';
import { BUNDLE_NAME } from '../../../src/api/group.ts';
import type { ConfigMap } from '../../../src/controllers/bundle/bundle-record.ts';
import { readRevocationLists } from '../../../src/crypto/crl-reader.ts';
import { CONFIG_MAP, EVENT } from '../../../src/kube/core-types.ts';
import type { KubeObject } from '../../../src/kube/object.ts';
import { AuthorityProbe } from '../../support/authority.ts';
import { useControlPlane } from '../../support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type RunningOperator, startOperator } from '../../support/operator.ts';
import { AGENTS, useSwarm } from '../../support/swarm.ts';

describe('a new leader', () => {
  const controlPlane = useControlPlane();
  const swarm = useSwarm(controlPlane);
  let operator: RunningOperator | undefined;
  let authority: AuthorityProbe;

  const start = async (): Promise<void> => {
    operator = await startOperator({ controlPlane: controlPlane(), flags: [`--namespaces=${AGENTS}`] });
  };
  const kubectl = (...args: readonly string[]): Promise<unknown> =>
    controlPlane().kubectl([...args, `--namespace=${AGENTS}`]);

  async function notesOf(name: string): Promise<readonly string[]> {
    type ShownEvent = KubeObject & {
      readonly reason: string;
      readonly note: string;
      readonly regarding: { readonly name: string };
    };
    const { items } = await swarm().client.list<ShownEvent>(EVENT, { namespace: AGENTS });
    return items
      .filter((each) => each.regarding.name === name)
      .map(({ reason, note }) => `${reason}: ${note}`);
  }

  async function revoked(): Promise<readonly string[]> {
    const target = { namespace: AGENTS, name: BUNDLE_NAME };
    const { data = {} } = await swarm().client.get<ConfigMap>(CONFIG_MAP, target);
    const lists = readRevocationLists(Buffer.from(data['ca.crl'] ?? '')) ?? [];
    return lists.flatMap(({ entries }) => [...entries.keys()]);
  }

  before(async () => {
    authority = new AuthorityProbe(swarm().client);
    await start();
    for (const name of ['agent-a', 'agent-b', 'killed']) await swarm().createAgent(name);
    for (const name of ['agent-a', 'agent-b', 'killed']) await swarm().ready(name);
  });
  after(() => operator?.stop());

  it('takes the revoked certificates over from a bundle that has lost its label', async () => {
    const { status } = await swarm().identity('killed');
    const serial = status?.certificate?.serialNumber ?? '';
    const suspend = (suspended: boolean): Promise<unknown> =>
      kubectl('patch', 'aid', 'killed', '--type=merge', '-p', JSON.stringify({ spec: { suspended } }));
    await suspend(true);
    await eventually('its certificate on the list', async () => (await revoked()).includes(serial));
    await suspend(false);
    await swarm().ready('killed');
    await operator?.stop();
    await kubectl('label', 'configmap', BUNDLE_NAME, 'agenttrust.dev/managed-');
    await start();
    await eventually('the label to be back', async () => {
      const target = { namespace: AGENTS, name: BUNDLE_NAME };
      const { metadata } = await swarm().client.get(CONFIG_MAP, target);
      return metadata.labels?.['agenttrust.dev/managed'] === 'true';
    });
    expect(await revoked()).to.deep.equal([serial]);
  });

  it('goes on with the rollout of a generation, and does not tell of it as of damage', async () => {
    const before = (await swarm().secret('agent-a-tls'))?.data?.['ca.crt'] ?? '';
    await authority.ask({ rotateBefore: new Date().toISOString() });
    const carries = async (name: string): Promise<boolean> =>
      (await authority.inSecret(`${name}-tls`)).carries.length === 2;
    for (const name of ['agent-a', 'agent-b'])
      await eventually(`${name} to carry the next generation`, () => carries(name));
    await operator?.stop();
    const put = (name: string, text: string): Promise<unknown> =>
      kubectl(
        ...['patch', 'secret', `${name}-tls`, '--type=merge', '-p'],
        JSON.stringify({ data: { 'ca.crt': text } }),
      );
    // As if the leader before had not come to the one, and somebody had altered the other.
    await put('agent-a', before);
    await put('agent-b', Buffer.from('no root').toString('base64'));
    await start();
    for (const name of ['agent-a', 'agent-b'])
      await eventually(`${name} to carry it again`, () => carries(name));
    await eventually('the event about the other', async () =>
      (await notesOf('agent-b')).some((note) => note.startsWith('Repaired: Mended the Secret: ca.crt')),
    );
    expect((await notesOf('agent-a')).join()).to.not.contain('Repaired');
  });
});
