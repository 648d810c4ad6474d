import { expect } from 'chai';
import type { Accepted } from '../../../src/domain/token/verify/verify.ts';
import type { Agent } from '../../../src/sdk/agent.ts';
import type { TokenWish } from '../../../src/sdk/delegate.ts';
import type { LocalSwarm, SwarmOptions } from '../../support/sdk/agent-folder.ts';
import {
  DEPLOYER_HOST,
  ExampleAgents,
  minted,
  mintOutcome,
  received,
  verifyOutcome,
} from '../../support/sdk/example-agents.ts';
import { presented, tlsPeer } from '../../support/sdk/presented.ts';

const WEB = 'namespaces/staging/deployments/web';
const STAGING = 'namespaces/staging/*';
const GET: TokenWish['capabilities'] = [{ name: 'kubectl_get', resources: [WEB] }];

let example: ExampleAgents;
let swarm: LocalSwarm;
let coordinator: Agent;
let deployer: Agent;
let validator: Agent;

async function start(options?: SwarmOptions): Promise<void> {
  example = await ExampleAgents.load(options);
  ({ swarm, coordinator, deployer, validator } = example);
}

const stop = (): Promise<void> => example.close();

describe('Agent.delegate and Agent.verify', () => {
  describe('in the worked example', () => {
    beforeEach(() => start());
    afterEach(stop);

    it('delegate from coordinator to deployer to validator', async () => {
      const parent = await example.firstCall();
      const token = minted(deployer, { to: 'agent-validator', capabilities: GET, ttlSeconds: 60, parent });
      const { accepted } = await received(validator, example.fromDeployer(token));
      const [a, b, c] = ['agent-coordinator', 'agent-deployer', 'agent-validator'].map((name) =>
        swarm.id(name),
      );
      const { claims, path, capabilities, binding, isPeerSeen }: Accepted = accepted;
      expect({ path, capabilities, binding, isPeerSeen }).to.deep.equal({
        path: [a, b, c],
        capabilities: GET,
        binding: 'Key',
        isPeerSeen: true,
      });
      expect([claims.sub, claims.act, claims.txn, claims.exp - claims.iat]).to.deep.equal([
        a,
        { sub: b },
        parent.accepted.claims.txn,
        60,
      ]);
    });

    it('present a token bound to a certificate, and one bound to a key', async () => {
      const root = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      const parent = await example.firstCall();
      const child = minted(deployer, { to: 'agent-validator', capabilities: GET, parent });
      const url = 'https://agent-validator/mcp?a=b#c';
      const { dpop = '', ...rest } = child.headersFor('POST', url);
      const payload = JSON.parse(Buffer.from(dpop.split('.')[1] ?? '', 'base64url').toString());
      expect(root.headersFor('POST', url)).to.deep.equal({ authorization: `Bearer ${root.token}` });
      expect(rest).to.deep.equal({
        authorization: `DPoP ${child.token}`,
        'agent-delegation-chain': parent.token,
      });
      expect([payload.htm, payload.htu]).to.deep.equal(['POST', 'https://agent-validator/mcp']);
    });

    it('find the audience by SPIFFE ID, by name, and by namespace and name', () => {
      for (const to of [swarm.id('agent-deployer'), 'agent-deployer', 'ai-agents/agent-deployer'])
        expect(mintOutcome(coordinator, { to, capabilities: GET })).to.equal('delegated');
      for (const to of [
        'agent-nobody',
        'ai-data/agent-deployer',
        'agent-deployer.ai-agents',
        '',
        'a/b/c',
        'spiffe://x',
      ])
        expect(mintOutcome(coordinator, { to, capabilities: GET }), to).to.equal('not_delegable');
    });

    it('fill in what may be passed on where no resources are named', async () => {
      const parent = await example.firstCall({ capabilities: [{ name: 'kubectl_get', resources: [WEB] }] });
      const child = minted(deployer, {
        to: 'agent-validator',
        capabilities: [{ name: 'kubectl_get' }],
        parent,
      });
      const { accepted } = await received(validator, example.fromDeployer(child));
      const root = await example.firstCall({ capabilities: [{ name: 'kubectl_get' }] });
      expect(accepted.capabilities).to.deep.equal(GET);
      expect(root.accepted.capabilities).to.deep.equal([{ name: 'kubectl_get', resources: [STAGING] }]);
    });

    it('keep a tree together when its first token is made again', () => {
      const { transaction } = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      const again = minted(coordinator, { to: 'agent-deployer', capabilities: GET, transaction });
      expect(again.transaction).to.equal(transaction);
      expect(
        mintOutcome(coordinator, { to: 'agent-deployer', capabilities: GET, transaction: 'x' }),
      ).to.equal('malformed');
    });

    it('refuse an escalation when it is minted', async () => {
      const parent = await example.firstCall({ capabilities: [{ name: 'kubectl_get', resources: [WEB] }] });
      const to = 'agent-validator';
      const asked: readonly TokenWish['capabilities'][] = [
        [{ name: 'kubectl_apply' }],
        [{ name: 'kubectl_apply', resources: [WEB] }],
        [{ name: 'kubectl_get', resources: ['namespaces/*'] }],
        [{ name: 'kubectl_get', resources: [STAGING] }],
        [{ name: 'kubectl_get', resources: ['namespaces/staging/../production'] }],
        [],
      ];
      const outcomes = asked.map((capabilities) => mintOutcome(deployer, { to, capabilities, parent }));
      expect(outcomes).to.deep.equal([
        'not_delegable',
        'not_delegable',
        'not_delegable',
        'not_narrower',
        'malformed',
        'malformed',
      ]);
    });

    it('refuse a wish that is not of its form, and say what it lacks or how it is written', async () => {
      const wish = { to: 'agent-deployer', capabilities: GET };
      const parent = await example.firstCall();
      const wrong: readonly (readonly [unknown, string])[] = [
        [undefined, 'wish must be an object.'],
        [{ capabilities: GET }, 'wish.to must be a string.'],
        [{ to: 'agent-deployer' }, 'wish.capabilities must be a list.'],
        [
          { ...wish, capabilities: [{ name: 'kubectl_get', resources: WEB }] },
          'wish.capabilities[0].resources must be a list.',
        ],
        [{ ...wish, ttl: 60 }, 'wish.ttl is unknown: it is called ttlSeconds.'],
        [{ ...wish, taskTTL: 60 }, 'wish.taskTTL is unknown: it is called taskTtlSeconds.'],
        [{ ...wish, depth: 2 }, 'wish.depth is unknown: it is called maxDepth.'],
        [{ ...wish, taskTtlSeconds: '60' }, 'wish.taskTtlSeconds must be a number.'],
        [{ ...wish, transaction: 5 }, 'wish.transaction must be a string.'],
        [{ ...wish, parent: parent.token }, 'wish.parent must be an object.'],
        [
          { ...wish, parent: { ...parent, accepted: {} } },
          'wish.parent.accepted must be what a verification has accepted.',
        ],
        [{ ...wish, parent: { ...parent, chain: '' } }, 'wish.parent.chain must be a list.'],
      ];
      const refused = wrong.map(([each]) => coordinator.delegate(each as TokenWish));
      expect(refused).to.deep.equal(
        wrong.map(([, message]) => ({ kind: 'refused', name: 'malformed', message, detail: {} })),
      );
    });

    it('refuse more uses, a longer life and a deeper tree than the rule has', () => {
      const wish = { to: 'agent-deployer', capabilities: GET };
      const wishes = [
        { maxUses: 2 },
        { ttlSeconds: 121 },
        { taskTtlSeconds: 200 },
        { maxUses: 6 },
        { maxDepth: 9 },
      ];
      expect(wishes.map((more) => mintOutcome(coordinator, { ...wish, ...more }))).to.deep.equal([
        'not_delegable',
        'not_delegable',
        'not_delegable',
        'malformed',
        'malformed',
      ]);
    });

    it('refuse what is asked for beyond the token', async () => {
      const token = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      const ask = (name: string, resource: string): Promise<string> =>
        verifyOutcome(deployer, { ...example.fromCoordinator(token), asked: { name, resource } });
      expect([
        await ask('kubectl_apply', WEB),
        await ask('kubectl_get', 'namespaces/staging/deployments/other'),
        await ask('kubectl_get', WEB),
      ]).to.deep.equal(['capability_not_granted', 'resource_not_granted', 'accepted']);
    });

    it('refuse a root by whoever may act only for a caller', () => {
      expect(mintOutcome(deployer, { to: 'agent-validator', capabilities: GET })).to.equal(
        'root_not_allowed',
      );
    });

    it('refuse a token whose thief presents it with a certificate of his own', async () => {
      const token = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      const stolen = presented(token, { host: DEPLOYER_HOST, peer: tlsPeer(swarm, 'agent-stranger') });
      const withoutPeer = presented(token, { host: DEPLOYER_HOST });
      expect([
        await verifyOutcome(deployer, stolen),
        await verifyOutcome(deployer, withoutPeer),
        await verifyOutcome(deployer, example.fromCoordinator(token)),
      ]).to.deep.equal(['holder_mismatch', 'holder_mismatch', 'accepted']);
    });

    it('refuse a token with no proof, with that of another request, and sent to another agent', async () => {
      const parent = await example.firstCall();
      const token = minted(deployer, { to: 'agent-validator', capabilities: GET, parent });
      const headers = token.headersFor('POST', 'https://agent-validator:8443/mcp');
      const { dpop: _, ...unproven } = headers;
      const elsewhere = token.headersFor('POST', 'https://agent-deployer:8443/mcp');
      const peer = { kind: 'mesh', spiffeId: swarm.id('agent-deployer') } as const;
      expect([
        await verifyOutcome(validator, presented(token, { peer, headers: unproven })),
        await verifyOutcome(validator, presented(token, { peer, headers: elsewhere })),
        await verifyOutcome(validator, presented(token, { peer, headers, path: '/other' })),
        await verifyOutcome(example.stranger, example.fromDeployer(token)),
        await verifyOutcome(validator, presented(token, { peer, headers })),
      ]).to.deep.equal(['proof_invalid', 'proof_invalid', 'proof_invalid', 'wrong_audience', 'accepted']);
    });

    it('refuse a token that was used before', async () => {
      const token = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      expect([
        await verifyOutcome(deployer, example.fromCoordinator(token)),
        await verifyOutcome(deployer, example.fromCoordinator(token)),
      ]).to.deep.equal(['accepted', 'replayed']);
    });

    it('refuse a token that has expired, and a child of one', async () => {
      const parent = await example.firstCall();
      const token = minted(coordinator, { to: 'agent-deployer', capabilities: GET, ttlSeconds: 30 });
      example.advance(60);
      const late = await verifyOutcome(deployer, example.fromCoordinator(token));
      example.advance(60);
      const child = mintOutcome(deployer, { to: 'agent-validator', capabilities: GET, parent });
      expect([late, child]).to.deep.equal(['expired', 'expired']);
    });

    it('refuse everything when the bundle has ended, and no longer when there is another', async () => {
      const early = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      example.advance(1800);
      const wish = { to: 'agent-deployer', capabilities: GET };
      const stale = [
        mintOutcome(coordinator, wish),
        await verifyOutcome(deployer, example.fromCoordinator(early)),
      ];
      await example.publish();
      const fresh = example.fromCoordinator(minted(coordinator, wish));
      expect([...stale, await verifyOutcome(deployer, fresh)]).to.deep.equal([
        'stale_state',
        'stale_state',
        'accepted',
      ]);
    });

    it('refuse who is cut off, once the bundle says so', async () => {
      const token = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      swarm.revocations = { ...swarm.revocations, suspended: [swarm.id('agent-coordinator')] };
      await example.publish();
      expect(await verifyOutcome(deployer, example.fromCoordinator(token))).to.equal('suspended');
    });

    it('refuse what an edge allowed that is gone', async () => {
      const token = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      swarm.edges = [];
      await example.publish();
      expect(await verifyOutcome(deployer, example.fromCoordinator(token))).to.equal('not_delegable');
    });

    it('bind to the certificate of the moment', async () => {
      const before = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      const peer = tlsPeer(swarm, 'agent-coordinator');
      swarm.renewCertificate('agent-coordinator');
      await example.publish();
      const after = minted(coordinator, { to: 'agent-deployer', capabilities: GET });
      expect([
        await verifyOutcome(deployer, presented(before, { host: DEPLOYER_HOST, peer })),
        await verifyOutcome(deployer, presented(after, { host: DEPLOYER_HOST, peer })),
        await verifyOutcome(deployer, example.fromCoordinator(after)),
      ]).to.deep.equal(['accepted', 'holder_mismatch', 'accepted']);
    });
  });

  describe('with Ed25519', () => {
    beforeEach(() => start({ algorithm: 'Ed25519' }));
    afterEach(stop);

    it('accept what they sign, proofs too', async () => {
      const parent = await example.firstCall();
      const token = minted(deployer, { to: 'agent-validator', capabilities: GET, parent });
      expect(await verifyOutcome(validator, example.fromDeployer(token))).to.equal('accepted');
    });
  });
});
