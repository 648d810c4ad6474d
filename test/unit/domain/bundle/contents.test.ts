import { expect } from 'chai';
import {
  type BundleAgent,
  type BundleSources,
  bundleContents,
} from '../../../../src/domain/bundle/contents.ts';
import type { AgentFacts, AgentId } from '../../../../src/domain/delegation/facts.ts';
import { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';

const CAPABILITIES = [{ name: 'read' }];
const TOKENS = { maxTtlSeconds: 300, maxUses: 5 };
const idOf = (id: AgentId): string => `spiffe://cluster.local/ns/${id.replace('/', '/sa/')}`;

interface Agents {
  readonly [id: string]: Partial<Omit<BundleAgent, 'settings'>> & {
    readonly settings?: Partial<BundleAgent['settings']>;
  };
}

/** Agents `ns/name`, and who delegates to whom: `from>to` of one namespace each. */
function sourcesOf(agents: Agents, edges: readonly string[], maxDepth = 2): BundleSources {
  const graph = new DelegationGraph();
  const known = new Map<AgentId, BundleAgent>();
  for (const [id, changes] of Object.entries(agents)) {
    const [namespace = '', name = ''] = id.split('/');
    const settings = { maxChildren: 16, binding: 'Auto', originate: 'Auto', ...changes.settings } as const;
    const agent = {
      namespace,
      name,
      spiffeId: idOf(id as AgentId),
      isMeshed: false,
      state: 'served',
      ...changes,
      settings,
    } as const;
    known.set(id as AgentId, agent);
    const facts: AgentFacts = {
      namespace,
      name,
      isServed: agent.state === 'served',
      capabilities: CAPABILITIES,
      acceptFrom: ['a', 'b', 'c'].map((each) => ({ namespace: each })),
      tokens: TOKENS,
    };
    graph.putAgent(facts);
  }
  for (const [at, edge] of edges.entries()) {
    const [from = '', to = ''] = edge.split('>');
    const [namespace = '', name = ''] = from.split('/');
    const rule = { from: name, to: [to as AgentId], capabilities: CAPABILITIES, tokens: TOKENS };
    graph.putPolicy({ namespace, name: `p-${at}`, maxDepth, rules: [rule] });
  }
  return {
    clusterDomain: 'cluster.local',
    graph,
    agent: (id) => known.get(id),
    agentsIn: (namespace) => [...known.keys()].filter((id) => id.startsWith(`${namespace}/`)),
    keys: () => [],
    server: () => ({
      port: 1,
      hosts: ['x'],
      verifier: 'SDK',
      replay: 'Memory',
      enforcement: 'Enforce',
      routes: [],
    }),
    revocations: [],
    notBefore: () => undefined,
  };
}

function edgesOf(sources: BundleSources, namespace: string): readonly string[] {
  return bundleContents(sources, namespace).policy.edges.map(
    ({ from, to }) => `${from.slice(26).replace('/sa/', '/')}>${to.slice(26).replace('/sa/', '/')}`,
  );
}

describe('bundleContents', () => {
  const line = ['a/x>b/y', 'b/y>c/z'];
  const three = { 'a/x': {}, 'b/y': {}, 'c/z': {} };

  it('holds the edges of paths that end in the namespace, and those that begin there', () => {
    const sources = sourcesOf(three, line);
    expect(['a', 'b', 'c'].map((each) => edgesOf(sources, each))).to.deep.equal([['a/x>b/y'], line, line]);
  });

  it('leaves out an edge that allows no chain so long', () => {
    const sources = sourcesOf(three, line, 1);
    expect(edgesOf(sources, 'c')).to.deep.equal(['b/y>c/z']);
  });

  const bindings: readonly (readonly [string, Agents, string])[] = [
    ['Certificate between two without a mesh', { 'a/x': {}, 'b/y': {} }, 'Certificate'],
    ['Key to one in a mesh', { 'a/x': {}, 'b/y': { isMeshed: true } }, 'Key'],
    ['Key from one in a mesh', { 'a/x': { isMeshed: true }, 'b/y': {} }, 'Key'],
    ['what the caller says', { 'a/x': { settings: { binding: 'Key' } }, 'b/y': {} }, 'Key'],
    [
      'what the target says before the caller and the mesh',
      {
        'a/x': { settings: { binding: 'Key' }, isMeshed: true },
        'b/y': { settings: { binding: 'Certificate' } },
      },
      'Certificate',
    ],
  ];
  for (const [what, agents, wanted] of bindings)
    it(`binds by ${what}`, () => {
      const [edge] = bundleContents(sourcesOf(agents, ['a/x>b/y']), 'b').policy.edges;
      expect(edge?.binding).to.equal(wanted);
    });

  it('lets start chains whom nobody calls, unless the agent says otherwise', () => {
    const agents = {
      'a/x': {},
      'b/y': {},
      'b/always': { settings: { originate: 'Always' } },
      'b/never': { settings: { originate: 'Never' } },
    };
    const { policy } = bundleContents(sourcesOf(agents, ['a/x>b/y', 'a/x>b/always']), 'b');
    expect([...policy.agents].map(([id, { originate }]) => [id.slice(26), originate])).to.deep.equal([
      ['a/sa/x', true],
      ['b/sa/always', true],
      ['b/sa/never', false],
      ['b/sa/y', false],
    ]);
  });

  it('allows as many children as the stricter end', () => {
    const agents = { 'a/x': { settings: { maxChildren: 3 } }, 'b/y': { settings: { maxChildren: 9 } } };
    const [edge] = bundleContents(sourcesOf(agents, ['a/x>b/y']), 'b').policy.edges;
    expect(edge?.maxChildren).to.equal(3);
  });

  it('names those on the way that are cut off, and has no edge of them', () => {
    const sources = sourcesOf({ ...three, 'b/y': { state: 'suspended' }, 'c/elsewhere': {} }, line);
    const { policy, revocations } = bundleContents(sources, 'c');
    expect(revocations.suspended).to.deep.equal([idOf('b/y')]);
    expect(policy.edges).to.deep.equal([]);
    expect([...policy.agents.keys()]).to.deep.equal([idOf('b/y'), idOf('c/elsewhere'), idOf('c/z')]);
    expect(bundleContents(sources, 'a').revocations.suspended, 'it calls nobody there').to.deep.equal([]);
  });

  it('does not know an agent that is refused', () => {
    const { policy } = bundleContents(
      sourcesOf({ 'a/x': { state: 'refused' }, 'a/y': {} }, ['a/x>a/y']),
      'a',
    );
    expect([...policy.agents.keys()]).to.deep.equal([idOf('a/y')]);
  });
});
