import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { reviewBoundary } from '../../../src/admission/boundary.ts';
import type { Reviewer } from '../../../src/admission/review.ts';
import {
  creation,
  type KnownCluster,
  type KnownLists,
  startKnown,
  stored,
  update,
} from '../../support/known-cluster.ts';

const READ = { name: 'read' };
const WRITE = { name: 'write' };
const ALL = { capabilities: [READ, WRITE], acceptFrom: [{ namespace: 'ai' }, { namespace: 'data' }] };
const LISTS: KnownLists = {
  agentidentities: ['ai/coordinator', 'ai/writer', 'data/keeper', 'data/archive'].map((id) =>
    stored(id, ALL),
  ),
  delegationpolicies: [
    stored('ai/swarm', {
      rules: [
        { name: 'write', from: 'coordinator', to: ['writer'], capabilities: [READ, WRITE] },
        { name: 'keep', from: 'coordinator', to: ['data/keeper'], capabilities: [WRITE] },
      ],
    }),
    stored('data/own', {
      rules: [{ name: 'archive', from: 'keeper', to: ['archive'], capabilities: [READ] }],
    }),
  ],
};

function boundary(
  capabilities: readonly object[] | undefined,
  selector: object = {},
): ReturnType<typeof stored> {
  return stored('limit', {
    namespaceSelector: selector,
    ...(capabilities === undefined ? {} : { capabilities }),
  });
}

const zone = (name: string): object => ({ matchLabels: { zone: name } });

describe('reviewBoundary', () => {
  let cluster: KnownCluster | undefined;

  async function reviewer(lists: KnownLists = LISTS): Promise<Reviewer> {
    cluster = await startKnown(lists);
    return reviewBoundary(cluster.known);
  }

  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it('accepts one that takes nothing away, without a word', async () => {
    const review = await reviewer();
    expect(review(creation(boundary([READ, WRITE, { name: 'more' }])))).to.deep.equal({ kind: 'allowed' });
    expect(review(creation(boundary(undefined)))).to.deep.equal({ kind: 'allowed' });
  });

  it('tells how many edges lose what', async () => {
    const review = await reviewer();
    expect(review(creation(boundary([READ])))).to.deep.equal({
      kind: 'allowed',
      warnings: ['2 edges lose write in part or altogether, and 1 of them would grant nothing any more'],
    });
    expect(
      review(creation(boundary([{ name: 'read', resources: ['/a/*'] }, WRITE], zone('data')))),
    ).to.deep.equal({
      kind: 'allowed',
      warnings: ['1 edge loses read in part or altogether'],
    });
  });

  it('tells who gains by one that is raised, or selects less', async () => {
    const before = boundary([READ]);
    const review = await reviewer({ ...LISTS, capabilityboundaries: [before] });
    const gains = [
      'ai/writer gains write through ai/coordinator (rule "write"): ai/coordinator -> ai/writer',
      'data/keeper gains write through ai/coordinator (rule "keep"): ai/coordinator -> data/keeper',
    ];
    expect(review(update(before, boundary([READ, WRITE]))).warnings).to.deep.equal([
      'data/keeper may start no chain of its own any more: the edge from ai/coordinator is the first into it, and its tokens.originate is Auto',
      ...gains,
    ]);
    expect(review(update(before, boundary([READ], zone('data')))).warnings).to.deep.equal(gains.slice(0, 1));
  });

  it('tells both at once', async () => {
    const before = boundary([READ]);
    const review = await reviewer({ ...LISTS, capabilityboundaries: [before] });
    expect(review(update(before, boundary([{ name: 'write', resources: ['/a/*'] }]))).warnings).to.deep.equal(
      [
        '2 edges lose read in part or altogether, and 1 of them would grant nothing any more',
        'ai/writer gains write on /a/* through ai/coordinator (rule "write"): ai/coordinator -> ai/writer',
        'data/keeper gains write on /a/* through ai/coordinator (rule "keep"): ai/coordinator -> data/keeper',
      ],
    );
  });

  it('warns of a selector that selects no namespace', async () => {
    const review = await reviewer();
    expect(review(creation(boundary([READ], zone('nowhere'))))).to.deep.equal({
      kind: 'allowed',
      warnings: ['spec.namespaceSelector selects no namespace that there is: it binds nobody yet'],
    });
  });

  it('rejects what the schema may let through, when it is new', async () => {
    const review = await reviewer();
    const bad = stored('limit', {
      namespaceSelector: { matchExpressions: [{ key: 'zone', operator: 'Like', values: ['a'] }] },
      maxDepth: 9,
    });
    expect(review(creation(bad))).to.deep.equal({
      kind: 'refused',
      message: [
        'this CapabilityBoundary is not valid',
        '  spec.namespaceSelector.matchExpressions[0].operator must be In, NotIn, Exists or DoesNotExist.',
        '  spec.maxDepth must be 1 to 8.',
      ].join('\n'),
    });
    const lower = stored('limit', { ...bad.spec, capabilities: [READ] });
    expect(review(update(bad, lower)).kind).to.equal('allowed');
  });
});
