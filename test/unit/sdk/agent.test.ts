import { createPrivateKey } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import type { ReplayStore } from '../../../src/domain/token/replay/replay-store.ts';
import type { ServerPolicy } from '../../../src/domain/token/state/server-policy.ts';
import { type Agent, type AgentOptions, loadAgent } from '../../../src/sdk/agent.ts';
import type { FileProblem } from '../../../src/sdk/files/file-problem.ts';
import { LoadFailed } from '../../../src/sdk/load-failed.ts';
import { agedStore } from '../../support/sdk/aged-store.ts';
import { LocalSwarm } from '../../support/sdk/agent-folder.ts';
import { swapFolder } from '../../support/sdk/mounted-folder.ts';
import { presented, tlsPeer } from '../../support/sdk/presented.ts';

const NAME = 'agent-deployer';
const CALLER = 'agent-coordinator';
const HOST = 'agent-deployer.ai-agents.svc:8443';
const GET = [{ name: 'kubectl_get' }];
const SHARED: ReplayStore = { consume: () => ({ kind: 'accepted' }) };

describe('loadAgent', () => {
  let swarm: LocalSwarm;
  const open: Agent[] = [];

  function start(server: Partial<ServerPolicy> = {}): void {
    swarm = new LocalSwarm({
      agents: [{ name: CALLER }, { name: NAME, server }, { name: 'agent-validator' }],
    });
  }

  async function load(name: string = NAME, options: AgentOptions = {}): Promise<Agent> {
    const agent = await loadAgent(swarm.folder(name), options);
    open.push(agent);
    return agent;
  }

  async function failure(options: AgentOptions = {}): Promise<string> {
    const error: unknown = await load(NAME, options).catch((reason: unknown) => reason);
    if (!(error instanceof LoadFailed)) throw new Error('it loaded');
    return error.code;
  }

  afterEach(async () => {
    for (const agent of open.splice(0)) await agent.close();
    swarm.close();
  });

  it('gives an agent its names', async () => {
    start();
    const { id, name, problems } = await load();
    expect({ id, name, problems }).to.deep.equal({
      id: swarm.id(NAME),
      name: `ai-agents/${NAME}`,
      problems: [],
    });
  });

  it('gives an agent that can be printed, without its keys', async () => {
    start();
    const agent = await load();
    const { current } = agent;
    const { privateKeyPem } = current.tls;
    expect(agent.current).to.equal(current);
    expect(createPrivateKey(privateKeyPem).type).to.equal('private');
    const inDepth = { depth: null, maxStringLength: null, showHidden: false } as const;
    for (const each of [agent, current, { agent, current }, current.tls, { ...current.tls }]) {
      const printed = [inspect(each), inspect(each, inDepth), JSON.stringify(each)].join('\n');
      expect(printed).to.not.include('PRIVATE KEY').and.not.include('privateKeyPem');
      expect(printed).to.not.include(privateKeyPem.split('\n')[1]);
    }
    expect(inspect(current)).to.include(swarm.id(NAME)).and.include('CERTIFICATE');
  });

  it('looks into AGENT_TRUST_DIR', async () => {
    start();
    const before = process.env['AGENT_TRUST_DIR'];
    process.env['AGENT_TRUST_DIR'] = swarm.folder(NAME);
    try {
      const agent = await loadAgent();
      open.push(agent);
      expect(agent.id).to.equal(swarm.id(NAME));
    } finally {
      if (before === undefined) delete process.env['AGENT_TRUST_DIR'];
      else process.env['AGENT_TRUST_DIR'] = before;
    }
  });

  it('does not start without a bundle that counts', async () => {
    start();
    swapFolder(swarm.folder(NAME), swarm.files(NAME, { claims: { aud: 'ai-data' } }));
    expect(await failure()).to.equal('bundle_foreign');
  });

  it('does not start when what is given as an origin is none', async () => {
    start();
    for (const origin of ['agents.example.org', 'https://agents.example.org/path', 'ftp://example.org'])
      expect(await failure({ origins: [origin] }), origin).to.equal('option_invalid');
  });

  it('does not start to verify with a store that its pods do not share', async () => {
    start({ replay: 'Shared' });
    expect(await failure()).to.equal('store_not_shared');
    expect(await failure({ store: agedStore() })).to.equal('store_not_shared');
  });

  it('does not start to verify when something else does', async () => {
    start({ verifier: 'Authorizer' });
    for (const options of [{}, { store: SHARED }])
      expect(await failure(options)).to.equal('verifier_elsewhere');
  });

  it('does not start with a store that is none, or can hold nothing', async () => {
    start();
    const wrong = ['memory', {}, () => true] as unknown as readonly ReplayStore[];
    for (const store of wrong) expect(await failure({ store }), String(store)).to.equal('option_invalid');
    for (const replayCapacity of [0, 3, -1, 8.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(await failure({ replayCapacity }), `${replayCapacity}`).to.equal('option_invalid');
  });

  it('does not start with the store of another agent', async () => {
    start();
    expect(await failure({ store: { ...SHARED, audience: swarm.id(CALLER) } })).to.equal('option_invalid');
    const agent = await load(NAME, { store: { ...SHARED, audience: swarm.id(NAME) } });
    expect(agent.id).to.equal(swarm.id(NAME));
  });

  it('starts with a shared store, and with none to call others only', async () => {
    start({ replay: 'Shared' });
    expect((await load(NAME, { store: SHARED })).id).to.equal(swarm.id(NAME));
    const caller = await load(NAME, { store: 'none' });
    const token = (await load(CALLER)).delegate({ to: NAME, capabilities: GET });
    if (token.kind === 'refused') throw new Error(token.name);
    const result = await caller.verify(presented(token, { host: HOST, peer: tlsPeer(swarm, CALLER) }));
    expect(result).to.deep.include({ kind: 'refused', name: 'store_unavailable' });
  });

  it('stops verifying when its pods are to share a store that they do not', async () => {
    start();
    const [agent, caller] = [await load(NAME, { store: agedStore() }), await load(CALLER)];
    const verified = async (): Promise<unknown> => {
      const token = caller.delegate({ to: NAME, capabilities: GET });
      if (token.kind === 'refused') throw new Error(token.name);
      return await agent.verify(presented(token, { host: HOST, peer: tlsPeer(swarm, CALLER) }));
    };
    expect(await verified()).to.deep.include({ kind: 'accepted' });
    const { 'bundle/policy.json': policy = '' } = swarm.files(NAME);
    const shared = policy.toString().replaceAll('"replay":"Memory"', '"replay":"Shared"');
    swarm.sequence += 1;
    swapFolder(swarm.folder(NAME), swarm.files(NAME, { bundle: { 'policy.json': shared } }));
    await agent.reload();
    expect(await verified()).to.deep.include({ kind: 'refused', name: 'store_unavailable' });
  });

  it('takes a proof for one of its origins, and for none but those', async () => {
    start();
    swarm.edges = [{ from: CALLER, to: NAME, capabilities: GET, binding: 'Key' }];
    swarm.publish();
    const agent = await load(NAME, {
      store: agedStore(),
      origins: ['https://Agents.Example.org', 'http://a.test:81'],
    });
    const caller = await load(CALLER);
    const outcomes: string[] = [];
    for (const host of [
      'agents.example.org',
      'agents.example.org:443',
      'a.test:81',
      NAME,
      `${NAME}:8443`,
      'a.test',
      HOST.replace('8443', '8444'),
    ]) {
      const token = caller.delegate({ to: NAME, capabilities: GET });
      if (token.kind === 'refused') throw new Error(token.name);
      outcomes.push((await agent.verify(presented(token, { host }))).kind);
    }
    const [yes, no] = ['accepted', 'refused'];
    expect(outcomes).to.deep.equal([yes, yes, yes, yes, yes, no, no]);
  });

  it('takes no token for its first 30 s, when nobody can know what was used before', async () => {
    start();
    const [agent, caller] = [await load(), await load(CALLER)];
    const token = caller.delegate({ to: NAME, capabilities: GET });
    if (token.kind === 'refused') throw new Error(token.name);
    const result = await agent.verify(presented(token, { host: HOST, peer: tlsPeer(swarm, CALLER) }));
    expect(result).to.deep.include({ kind: 'refused', name: 'replay_unknown' });
  });

  it('tells of problems with the files, as a warning where nobody listens', async () => {
    start();
    const told: FileProblem[] = [];
    const warned = new Promise<Error & { code?: string }>((resolve) => process.once('warning', resolve));
    const agents = [await load(NAME, { onProblem: (problem) => told.push(problem) }), await load()];
    swarm.sequence += 1;
    swapFolder(swarm.folder(NAME), swarm.files(NAME, { files: { 'bundle/policy.json': '{}' } }));
    for (const agent of agents) await agent.reload();
    expect(told.map(({ code }) => code)).to.deep.equal(['bundle_altered']);
    expect((await warned).code).to.equal('bundle_altered');
  });

  it('holds so many used tokens as it is told', async () => {
    start();
    swarm.edges = [{ from: CALLER, to: NAME, capabilities: GET, binding: 'Key' }];
    swarm.publish();
    let nowMs = Date.now() - 60_000;
    const agent = await load(NAME, { replayCapacity: 8, nowMs: () => nowMs });
    nowMs += 60_000;
    const caller = await load(CALLER);
    const names: unknown[] = [];
    for (let count = 0; count < 3; count++) {
      const token = caller.delegate({ to: NAME, capabilities: GET });
      if (token.kind === 'refused') throw new Error(token.name);
      const result = await agent.verify(presented(token, { host: HOST }));
      names.push(result.kind === 'refused' ? result.name : result.kind);
    }
    expect(names).to.deep.equal(['accepted', 'accepted', 'store_unavailable']);
  });
});
