import { expect } from 'chai';
import { agentText, applyText, manifest, policyText, SWARM_TEXT } from '../../support/dev/laptop.ts';

const PAIR = agentText('one', 'read_file', 'write_file') + agentText('two', 'read_file', 'write_file');

describe('applyManifests', () => {
  it('accepts the swarm of the examples and computes its edges', async () => {
    const { cluster, refusals, warnings, passedOver } = await applyText(SWARM_TEXT);
    expect({ refusals, warnings, passedOver: [...passedOver] }).to.deep.equal({
      refusals: [],
      warnings: [],
      passedOver: [['ServiceAccount', 5]],
    });
    expect(cluster.book.graph.edgeCount).to.equal(4);
  });

  it('puts an agent that names no namespace into the default one', async () => {
    const { cluster } = await applyText(agentText('one', 'read_file'));
    expect(cluster.book.graph.agent('default/one')?.isServed).to.equal(true);
  });

  it('lets the order of documents not matter', async () => {
    const { refusals, cluster } = await applyText(policyText('one', 'two', 'read_file') + PAIR);
    expect(refusals).to.deep.equal([]);
    expect(cluster.book.graph.edgeCount).to.equal(1);
  });

  const refused: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'a field that the kind does not have',
      manifest('AgentIdentity', 'one', { colour: 'red' }),
      [
        'swarm.yaml:2: AgentIdentity default/one: spec.colour is no field of this kind: take it out or correct its name',
      ],
    ],
    [
      'a value outside of its range',
      manifest('DelegationPolicy', 'p', { maxDepth: 9, rules: [] }),
      ['swarm.yaml:2: DelegationPolicy default/p: spec.maxDepth must be <= 8'],
    ],
    [
      'a value of another type',
      manifest('AgentIdentity', 'one', { suspended: 'yes' }),
      ['swarm.yaml:2: AgentIdentity default/one: spec.suspended must be boolean'],
    ],
    [
      'a value that is not one of a list',
      manifest('AgentIdentity', 'one', { enforcement: 'Maybe' }),
      ['swarm.yaml:2: AgentIdentity default/one: spec.enforcement must be one of Enforce, DryRun'],
    ],
    [
      'what the resolvers refuse',
      manifest('AgentIdentity', 'one', { certificate: { duration: '1m' } }),
      [
        'swarm.yaml:2: AgentIdentity default/one is refused: this AgentIdentity could not be served\n  spec.certificate.duration must be 10m to 168h, for example 24h.',
      ],
    ],
    [
      'a namespace that is none',
      manifest('AgentIdentity', 'one', {}, { namespace: '../up' }),
      ['swarm.yaml:2: AgentIdentity ../up/one: metadata.namespace is no name of a namespace'],
    ],
    [
      'an object that is there twice',
      agentText('one') + agentText('one'),
      ['swarm.yaml:4: AgentIdentity default/one is at swarm.yaml:2 already: take one of them out'],
    ],
    [
      'two identities on one ServiceAccount',
      agentText('one') + manifest('AgentIdentity', 'two', { serviceAccountName: 'one' }),
      [
        'swarm.yaml:4: AgentIdentity default/two is refused: this AgentIdentity could not be served\n  spec.serviceAccountName: ServiceAccount default/one is the identity of the older AgentIdentity one. Create a ServiceAccount for this agent alone and a new AgentIdentity that names it.',
      ],
    ],
    [
      'a policy that widens, in the words of admission',
      agentText('one', 'read_file') + agentText('two', 'read_file') + policyText('one', 'two', 'write_file'),
      [
        'swarm.yaml:6: DelegationPolicy default/one-to-two is refused: this would widen capabilities\n  spec.rules[0].capabilities[0] write_file: one does not hold it for Delegate (it holds read_file).\n    It would travel one -> two.\n    Add it to the AgentIdentity one (needs verb grant on capabilities.agenttrust.dev/write_file), or take it out of the rule.\n  spec.rules[0].capabilities[0] write_file: two does not hold it (it holds read_file).\n    It would travel one -> two.\n    Add it to the AgentIdentity two (needs verb grant on capabilities.agenttrust.dev/write_file), or take it out of the rule.',
      ],
    ],
    [
      'a revocation of nothing',
      manifest('TokenRevocation', 'r', {}),
      ['swarm.yaml:2: TokenRevocation default/r is refused: spec must say what is revoked'],
    ],
  ];
  for (const [what, text, refusals] of refused) {
    it(`refuses ${what}`, async () => {
      expect((await applyText(text)).refusals).to.deep.equal(refusals);
    });
  }

  it('lets boundaries bind the namespaces that they select', async () => {
    const boundary = manifest('CapabilityBoundary', 'outer', {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
      capabilities: [{ name: 'read_file' }],
    });
    const { refusals } = await applyText(boundary + PAIR + policyText('one', 'two', 'write_file'));
    expect(refusals).to.have.length(1);
    expect(refusals[0]).to.include(
      'CapabilityBoundary outer leaves no write_file to agents of namespace default',
    );
  });

  it('warns of an agent that does not exist', async () => {
    const { refusals, warnings } = await applyText(PAIR + policyText('one', 'three', 'read_file'));
    expect(refusals).to.deep.equal([]);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/^swarm\.yaml:6: DelegationPolicy default\/one-to-three: .*default\/three/);
  });

  it('keeps what there was of an object whose edit is refused', async () => {
    const before = await applyText(PAIR + policyText('one', 'two', 'read_file'));
    const after = await applyText(PAIR + policyText('one', 'two', 'read_file', 'query_database'), before);
    expect(after.refusals).to.have.length(1);
    expect(after.cluster.book.graph.edgesOutOf('default/one')).to.deep.equal(
      before.cluster.book.graph.edgesOutOf('default/one'),
    );
  });

  it('lets a ceiling sink below a policy, as a cluster does, and warns', async () => {
    const policy = policyText('one', 'two', 'read_file', 'write_file');
    const before = await applyText(PAIR + policy);
    const lower = agentText('one', 'read_file') + agentText('two', 'read_file', 'write_file');
    const { refusals, warnings, cluster } = await applyText(lower + policy, before);
    expect(refusals).to.deep.equal([]);
    expect(warnings.some((text) => text.includes('write_file'))).to.equal(true);
    const [edge] = cluster.book.graph.edgesOutOf('default/one');
    expect(edge?.grants.flatMap((grant) => grant.capabilities.map(({ name }) => name))).to.deep.equal([
      'read_file',
    ]);
  });

  it('refuses a revocation that changes', async () => {
    const before = await applyText(agentText('one') + manifest('TokenRevocation', 'r', { agent: 'one' }));
    const after = await applyText(
      agentText('one') + manifest('TokenRevocation', 'r', { everything: true }),
      before,
    );
    expect(after.refusals).to.deep.equal([
      'swarm.yaml:4: TokenRevocation default/r is refused: spec: a TokenRevocation cannot change, because what it has revoked stays so; create another one',
    ]);
  });

  it('gives an object the same UID again, and an agent with another ServiceAccount another one', async () => {
    const before = await applyText(agentText('one'));
    const same = await applyText(agentText('one', 'read_file'), before);
    const other = await applyText(manifest('AgentIdentity', 'one', { serviceAccountName: 'else' }), before);
    const uidOf = ({ cluster }: Awaited<ReturnType<typeof applyText>>) =>
      cluster.view.identities.get('default/one')?.metadata.uid;
    expect(uidOf(same)).to.equal(uidOf(before));
    expect(uidOf(other)).not.to.equal(uidOf(before));
  });
});
