import { expect } from 'chai';
import { RefusalCounts } from '../../../src/sdk/http/refusal-counts.ts';
import { HttpSwarm } from '../../support/sdk/http-swarm.ts';
import { rootClaims, sendTls, signerOf, signToken, thumbprintOf } from '../../support/sdk/wire.ts';

const A = 'agent-coordinator';
const B = 'agent-deployer';
const X = 'agent-stranger';

describe('an agent whose refusals are only recorded', () => {
  let agents: HttpSwarm;
  let port: number;
  let events: unknown[];
  const counts = new RefusalCounts();

  before(async () => {
    agents = new HttpSwarm({
      agents: [
        { name: A },
        {
          name: B,
          server: {
            enforcement: 'DryRun',
            routes: [{ method: 'POST', path: '/v1/delegate', accepts: 'Capability' }],
          },
        },
        { name: X },
      ],
      edges: [{ from: A, to: B, capabilities: [{ name: 'kubectl_get' }] }],
    });
    const serving = await agents.serve(
      B,
      async (_, call) => {
        call.require('kubectl_apply', 'namespaces/prod/web');
        const { verified, principal, path } = call;
        const delegated = call.delegate({ to: X, capabilities: [{ name: 'kubectl_get' }] });
        const fetched = await call
          .fetch(`https://${X}:8443/`, { delegate: { capabilities: [] } })
          .catch(({ code, refusal }) => ({ code, refusal }));
        return Response.json({ verified, principal, path, delegated: delegated.kind, fetched });
      },
      { counts, onRefusal: ({ name }, { isDryRun }) => events.push({ name, isDryRun }) },
    );
    port = serving.port;
  });
  beforeEach(() => {
    events = [];
  });
  after(() => agents.close());

  const identityOf = (name: string): { cert: string; key: string } => agents.swarm.certificate(name);
  function bearer(): { authorization: string } {
    const thumbprint = thumbprintOf(agents.swarm.certificate(A).cert);
    const claims = rootClaims(agents.swarm, { from: A, to: B, thumbprint });
    return { authorization: `Bearer ${signToken(claims, signerOf(agents.swarm, A))}` };
  }

  const UNVERIFIED = {
    verified: false,
    path: [],
    delegated: 'refused',
    fetched: { code: 'refused', refusal: 'root_not_allowed' },
  };

  it('answers a caller without certificate and token, and knows nothing of it', async () => {
    const { status, body } = await sendTls({ port }, {});
    expect({ status, body: JSON.parse(body) }).to.deep.equal({ status: 200, body: UNVERIFIED });
    expect(events).to.deep.equal([{ name: 'malformed', isDryRun: true }]);
  });

  it('answers a caller whose token is refused', async () => {
    const { status } = await sendTls({ port, headers: bearer() }, identityOf(X));
    expect(status).to.equal(200);
    expect(events).to.deep.equal([{ name: 'holder_mismatch', isDryRun: true }]);
  });

  it('answers on a path that is no route', async () => {
    const { status } = await sendTls({ port, path: '/other', headers: bearer() }, identityOf(A));
    expect(status).to.equal(200);
    expect(events).to.deep.equal([{ name: 'not_delegable', isDryRun: true }]);
  });

  it('knows a caller whose token holds, and records what its application refuses', async () => {
    const { body } = await sendTls({ port, headers: bearer() }, identityOf(A));
    expect(JSON.parse(body)).to.deep.include({
      verified: true,
      principal: agents.swarm.id(A),
      path: [agents.swarm.id(A), agents.swarm.id(B)],
    });
    expect(events).to.deep.equal([{ name: 'capability_not_granted', isDryRun: true }]);
  });

  it('refuses all the same whoever is cut off, with a token or without', async () => {
    agents.swarm.revocations = { ...agents.swarm.revocations, suspended: [agents.swarm.id(A)] };
    await agents.publish();
    for (const headers of [bearer(), {}]) {
      const answer = await sendTls({ port, headers }, identityOf(A));
      expect([answer.status, answer.headers['agent-trust-refusal']]).to.deep.equal([401, 'suspended']);
    }
    expect(events).to.deep.equal([
      { name: 'suspended', isDryRun: false },
      { name: 'suspended', isDryRun: false },
    ]);
  });

  it('counts by name', () => {
    expect(counts.list()).to.deep.equal([
      { name: 'malformed', isDryRun: true, count: 1 },
      { name: 'suspended', isDryRun: false, count: 2 },
      { name: 'holder_mismatch', isDryRun: true, count: 1 },
      { name: 'not_delegable', isDryRun: true, count: 1 },
      { name: 'capability_not_granted', isDryRun: true, count: 1 },
    ]);
  });

  it('answers 400 to what no request of fetch can say', async () => {
    const statuses: unknown[] = [];
    for (const [method, path] of [
      ['GET', 'http://evil/x'],
      ['OPTIONS', '*'],
      ['TRACE', '/v1/delegate'],
    ] as const)
      statuses.push((await sendTls({ port, method, path, headers: {} }, identityOf(X))).status);
    expect(statuses).to.deep.equal([400, 400, 400]);
  });
});
