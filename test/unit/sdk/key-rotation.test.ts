import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { type Agent, loadAgent } from '../../../src/sdk/agent.ts';
import type { DelegatedToken } from '../../../src/sdk/delegate.ts';
import { eventually } from '../../support/eventually.ts';
import { agedStore } from '../../support/sdk/aged-store.ts';
import { LocalSwarm } from '../../support/sdk/agent-folder.ts';
import { presented } from '../../support/sdk/presented.ts';

const [CALLER, CALLED] = ['agent-coordinator', 'agent-deployer'];
const HOST = 'agent-deployer:8443';
const ROTATIONS = 12;
/** So many tokens are on their way at a time. */
const IN_FLIGHT = 8;

describe('Agent while signing keys are rotated', () => {
  let swarm: LocalSwarm;
  let caller: Agent;
  let called: Agent;

  beforeEach(async () => {
    const edges = [
      { from: CALLER, to: CALLED, capabilities: [{ name: 'kubectl_get' }], binding: 'Key' },
    ] as const;
    swarm = new LocalSwarm({ agents: [{ name: CALLER }, { name: CALLED }], edges });
    caller = await loadAgent(swarm.folder(CALLER));
    called = await loadAgent(swarm.folder(CALLED), { store: agedStore() });
  });

  afterEach(async () => {
    await caller.close();
    await called.close();
    swarm.close();
  });

  function mint(): DelegatedToken {
    const token = caller.delegate({ to: CALLED, capabilities: [{ name: 'kubectl_get' }] });
    if (token.kind === 'refused') throw new Error(token.name);
    return token;
  }

  async function outcomeOf(token: DelegatedToken): Promise<string> {
    const result = await called.verify(presented(token, { host: HOST }));
    return result.kind === 'refused' ? result.name : result.kind;
  }

  /** What the verifier knows of the caller's keys. */
  const known = (): ReadonlySet<string> =>
    new Set(called.current.bundle?.state.issuers.get(caller.id)?.keys() ?? []);
  const follows = (what: string, check: () => boolean): Promise<true> => eventually(what, check);

  async function publishNext(): Promise<void> {
    swarm.keys(CALLER).addNext();
    swarm.publish();
    await follows('the verifier to know the next key', () => known().size === 2);
  }

  async function activate(): Promise<void> {
    const before = caller.current.signer.kid;
    swarm.keys(CALLER).activateNext();
    swarm.publish();
    await follows('the caller to sign with it', () => caller.current.signer.kid !== before);
  }

  async function drop(): Promise<void> {
    swarm.keys(CALLER).dropRetiring();
    swarm.publish();
    await follows('the verifier to forget the old key', () => known().size === 1);
  }

  it(`refuses no good token in ${ROTATIONS} rotations, and accepts none of a key that is gone`, async () => {
    const refused: string[] = [];
    let accepted = 0;
    let isUnderLoad = true;
    const load = (async () => {
      const onTheirWay: DelegatedToken[] = [];
      while (isUnderLoad) {
        onTheirWay.push(mint());
        const arrived = onTheirWay.length > IN_FLIGHT ? onTheirWay.shift() : undefined;
        const outcome = arrived === undefined ? 'accepted' : await outcomeOf(arrived);
        if (outcome === 'accepted') accepted++;
        else refused.push(outcome);
        await nextTurn();
      }
    })();
    const ofOldKeys: string[] = [];
    for (let rotation = 0; rotation < ROTATIONS; rotation++) {
      await publishNext();
      const kept = mint();
      await activate();
      // In a cluster the old key stays until all that it has signed has expired: here until all of it has arrived.
      const enough = accepted + 2 * IN_FLIGHT;
      await follows('what the old key has signed to arrive', () => accepted >= enough);
      await drop();
      ofOldKeys.push(await outcomeOf(kept));
    }
    isUnderLoad = false;
    await load;
    expect(refused).to.deep.equal([]);
    expect(ofOldKeys).to.deep.equal(ofOldKeys.map(() => 'unknown_key'));
    expect(accepted).to.be.above(ROTATIONS * IN_FLIGHT);
  });

  it('accepts nothing of a compromised key once the verifier has read so, whatever its holder still signs', async () => {
    const before = mint();
    swarm.keys(CALLER).replace();
    swarm.publish(CALLED);
    await follows('the verifier to forget the key', () => !known().has(caller.current.signer.kid));
    const outcomes = [await outcomeOf(before), await outcomeOf(mint())];
    swarm.publish();
    await follows('the caller to sign with the new key', () => known().has(caller.current.signer.kid));
    expect([...outcomes, await outcomeOf(mint())]).to.deep.equal(['unknown_key', 'unknown_key', 'accepted']);
  });
});
