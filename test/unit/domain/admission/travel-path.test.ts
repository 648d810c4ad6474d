import { expect } from 'chai';
import { describe, it } from 'mocha';
import { type LastLink, TravelPaths, travelPath } from '../../../../src/domain/admission/travel-path.ts';
import type { Capability } from '../../../../src/domain/capability/capability.ts';
import type { AgentId, RuleFacts } from '../../../../src/domain/delegation/facts.ts';
import type { DelegationGraph } from '../../../../src/domain/delegation/graph.ts';
import { agent, graphOf, policy, TOKENS } from '../delegation/fixture.ts';

const READ: Capability = { name: 'read' };
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];

/** Edges written as `ab`: a delegates to b. */
function graphWith(
  edges: readonly string[],
  maxDepth = 8,
  agents: Readonly<Record<string, Capability>> = {},
): DelegationGraph {
  const rules = edges.map(
    (edge): RuleFacts => ({
      from: edge.charAt(0),
      to: [`ai/${edge.charAt(1)}`],
      capabilities: [READ],
      tokens: TOKENS,
    }),
  );
  return graphOf(
    NAMES.map((name) => agent(`ai/${name}`, [agents[name] ?? READ])),
    [policy(rules, { maxDepth })],
  );
}

function path(graph: DelegationGraph, edge: string, rest: Partial<LastLink> = {}): string {
  const [from, to]: AgentId[] = [`ai/${edge.charAt(0)}`, `ai/${edge.charAt(1)}`];
  const last = { from: from ?? '/', to: to ?? '/', name: 'read', resources: undefined, maxDepth: 8, ...rest };
  return travelPath(graph, last)
    .map((id) => id.slice('ai/'.length))
    .join('');
}

describe('travelPath', () => {
  it('is the last link alone when nothing comes to its first agent', () => {
    expect(path(graphWith([]), 'yz')).to.equal('yz');
    expect(path(graphWith(['bc']), 'ab')).to.equal('ab');
  });

  it('begins with the nearest agent into which nothing comes', () => {
    expect(path(graphWith(['ab', 'bc', 'cd']), 'de')).to.equal('abcde');
    expect(path(graphWith(['ab', 'bc', 'cd', 'fd']), 'de')).to.equal('fde');
  });

  it('takes the first of several by name', () => {
    expect(path(graphWith(['cd', 'bd', 'ab']), 'de')).to.equal('cde');
    expect(path(graphWith(['cd', 'bd']), 'de')).to.equal('bde');
  });

  it('leaves out edges that carry something else', () => {
    const graph = graphWith(['ab', 'bc'], 8, { b: { name: 'read', resources: ['/x/*'] } });
    expect(path(graph, 'cd', { name: 'write' })).to.equal('cd');
    expect(path(graph, 'cd', { resources: ['/y'] })).to.equal('cd');
    expect(path(graph, 'cd', { resources: ['/*'] })).to.equal('abcd');
  });

  it('leaves out edges into agents that may not pass it on', () => {
    const graph = graphWith(['ab', 'bc'], 8, { c: { name: 'read', use: 'Invoke' } });
    expect(path(graph, 'cd')).to.equal('cd');
  });

  it('is no longer than the policies of its links allow', () => {
    expect(path(graphWith(['ab', 'bc'], 2), 'cd')).to.equal('bcd');
    expect(path(graphWith(['ab', 'bc']), 'cd', { maxDepth: 1 })).to.equal('cd');
    expect(path(graphWith(['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi']), 'ij')).to.equal('bcdefghij');
  });

  it('is the last link alone when it only goes in circles', () => {
    expect(path(graphWith(['ab', 'ba']), 'bc')).to.equal('bc');
    expect(path(graphWith(['ab', 'ba', 'ca']), 'bd')).to.equal('cabd');
  });

  it('is the last link alone when everybody delegates to its first agent', () => {
    const names = Array.from({ length: 501 }, (_, index) => `p${index}`);
    const rules = names.map(
      (from): RuleFacts => ({ from, to: ['ai/a'], capabilities: [READ], tokens: TOKENS }),
    );
    const graph = graphOf([], [policy(rules.slice(0, 250)), policy(rules.slice(250), { name: 'more' })]);
    expect(path(graph, 'ab')).to.equal('ab');
  });
});

describe('TravelPaths', () => {
  it('finds what travelPath finds, whichever link comes after which', () => {
    const graph = graphWith(['ab', 'ba', 'ca', 'bd', 'ed', 'fe']);
    const paths = new TravelPaths(graph);
    const links = ['de', 'df', 'da', 'dg', 'bc', 'bd', 'ba', 'dg'].flatMap((edge) =>
      [8, 2, 1].map((maxDepth): LastLink => {
        const [from, to] = [edge.charAt(0), edge.charAt(1)];
        return { from: `ai/${from}`, to: `ai/${to}`, name: 'read', resources: undefined, maxDepth };
      }),
    );
    expect(links.map((link) => paths.of(link))).to.deep.equal(links.map((link) => travelPath(graph, link)));
  });
});
