import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { reviewIdentity } from '../../../src/admission/identity.ts';
import type { Reviewer } from '../../../src/admission/review.ts';
import {
  creation,
  type KnownCluster,
  type KnownLists,
  type Stored,
  startKnown,
  stored,
  update,
} from '../../support/known-cluster.ts';

const READ = { name: 'read_file' };
const WRITE = { name: 'write_file', resources: ['/data/reports/*'] };
const HEADLINE = 'this AgentIdentity could not be served';

const COORDINATOR = stored('ai/coordinator', { capabilities: [READ, { name: 'write_file' }] });
const PLANNER = stored('ai/planner', { capabilities: [READ, { name: 'write_file' }] });
const WRITER = stored('ai/writer', { capabilities: [READ] });

function policy(name: string, rules: readonly object[]): ReturnType<typeof stored> {
  return stored(`ai/${name}`, { maxDepth: 3, rules });
}

const SWARM = policy('swarm', [
  { name: 'plan', from: 'planner', to: ['coordinator'], capabilities: [READ, WRITE] },
  { name: 'reports', from: 'coordinator', to: ['writer'], capabilities: [READ, WRITE] },
]);

describe('reviewIdentity', () => {
  let cluster: KnownCluster | undefined;

  async function reviewer(lists: KnownLists = {}): Promise<Reviewer> {
    cluster = await startKnown(lists);
    return reviewIdentity(cluster.known);
  }

  function refused(...lines: readonly string[]): object {
    return { kind: 'refused', message: [HEADLINE, ...lines].join('\n') };
  }

  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it('accepts an agent that nobody names, without a word', async () => {
    const review = await reviewer();
    expect(review(creation(WRITER))).to.deep.equal({ kind: 'allowed' });
  });

  it('accepts a raised ceiling, and tells every edge that gains by it, in both directions', async () => {
    const review = await reviewer({
      agentidentities: [
        COORDINATOR,
        PLANNER,
        WRITER,
        stored('ai/validator', { capabilities: [{ name: 'write_file' }] }),
      ],
      delegationpolicies: [
        SWARM,
        policy('down', [{ from: 'writer', to: ['validator'], capabilities: [{ name: 'write_file' }] }]),
      ],
    });
    const raised = stored('ai/writer', { capabilities: [READ, WRITE] });
    expect(review(update(WRITER, raised))).to.deep.equal({
      kind: 'allowed',
      warnings: [
        'validator gains write_file on /data/reports/* through writer (policy ai/down, rules[0]): planner -> coordinator -> writer -> validator',
        'writer gains write_file on /data/reports/* through coordinator (rule "reports"): planner -> coordinator -> writer',
      ],
    });
    expect(review(update(raised, WRITER))).to.deep.equal({ kind: 'allowed' });
  });

  it('tells what a lifted restriction of use gives', async () => {
    const invoking = stored('ai/writer', { capabilities: [{ ...READ, use: 'Invoke' }] });
    const review = await reviewer({ agentidentities: [COORDINATOR, invoking], delegationpolicies: [SWARM] });
    expect(review(update(invoking, WRITER)).warnings).to.deep.equal([
      'writer gains read_file for Delegate through coordinator (rule "reports"): coordinator -> writer',
    ]);
  });

  it('tells every edge that a new agent makes', async () => {
    const review = await reviewer({ agentidentities: [PLANNER, WRITER], delegationpolicies: [SWARM] });
    expect(review(creation(COORDINATOR))).to.deep.equal({
      kind: 'allowed',
      warnings: [
        'writer gains read_file through coordinator (rule "reports"): planner -> coordinator -> writer',
        'coordinator gains read_file through planner (rule "plan"): planner -> coordinator',
        'coordinator gains write_file on /data/reports/* through planner (rule "plan"): planner -> coordinator',
      ],
    });
  });

  it('tells what consent gives, and that an agent may start no chain any more', async () => {
    const before = stored('data/keeper', { capabilities: [READ] });
    const after = stored('data/keeper', { capabilities: [READ], acceptFrom: [{ namespace: 'ai' }] });
    const rules = [{ from: 'planner', to: ['data/keeper'], capabilities: [READ] }];
    const own = stored('data/own', { rules: [{ from: 'keeper', to: ['archive'], capabilities: [READ] }] });
    const review = await reviewer({
      agentidentities: [PLANNER, before, stored('data/archive', { capabilities: [READ] })],
      delegationpolicies: [policy('far', rules), own],
    });
    expect(review(update(before, after)).warnings).to.deep.equal([
      'keeper may start no chain of its own any more: the edge from ai/planner is the first into it, and its tokens.originate is Auto',
      'keeper gains read_file through ai/planner (policy ai/far, rules[0]): ai/planner -> keeper',
    ]);
    expect(review(update(after, before)).warnings).to.equal(undefined);
  });

  it('tells what lifting a suspension gives back', async () => {
    const suspended = stored('ai/writer', { capabilities: [READ], suspended: true });
    const review = await reviewer({ agentidentities: [COORDINATOR, suspended], delegationpolicies: [SWARM] });
    expect(review(update(suspended, WRITER)).warnings).to.deep.equal([
      'writer gains read_file through coordinator (rule "reports"): coordinator -> writer',
    ]);
  });

  it('warns of a capability outside the boundary of the namespace, once', async () => {
    const review = await reviewer({
      capabilityboundaries: [
        stored('staging', {
          namespaceSelector: { matchLabels: { zone: 'ai' } },
          capabilities: [{ name: 'write_file', resources: ['/tmp/*'] }],
        }),
      ],
    });
    const before = stored('ai/writer', { capabilities: [READ] });
    const after = stored('ai/writer', { capabilities: [READ, WRITE, { name: 'write_tmp' }] });
    expect(review(update(before, after)).warnings).to.deep.equal([
      'write_file is not held as it stands here: CapabilityBoundary staging leaves write_file on "/tmp/*" only to agents of namespace ai',
      'write_tmp is not held as it stands here: CapabilityBoundary staging leaves no write_tmp to agents of namespace ai',
    ]);
    expect(review(creation(stored('data/writer', { capabilities: [READ] })))).to.deep.equal({
      kind: 'allowed',
    });
  });

  describe('of DNS names', () => {
    const wanting = (id: string, ...dnsNames: readonly string[]): Stored =>
      stored(id, { certificate: { dnsNames } });
    const HOLDER = wanting('ai/holder', 'db.ai.svc');
    const lists = { agentidentities: [WRITER, HOLDER] };

    it('accepts free ones, those of its own Service, and another namespace with the same', async () => {
      const review = await reviewer(lists);
      const free = wanting('ai/new', 'db2.ai.svc', 'new.ai.svc', '0.new.ai.svc', 'writer2.ai.svc');
      expect(review(creation(free))).to.deep.equal({ kind: 'allowed' });
      expect(review(creation(wanting('data/new', 'db.data.svc')))).to.deep.equal({ kind: 'allowed' });
    });

    it('refuses one that another lists, in whatever form', async () => {
      const review = await reviewer(lists);
      for (const name of ['db.ai.svc', 'db.ai.svc.cluster.local']) {
        expect(review(creation(wanting('ai/new', name)))).to.deep.equal(
          refused(
            `  spec.certificate.dnsNames: "${name}" stands in the dnsNames of AgentIdentity holder.`,
            '    One name belongs to one agent: take it out of one of the two.',
          ),
        );
      }
    });

    it("refuses those of another agent's Service and of the pods behind it", async () => {
      const review = await reviewer(lists);
      for (const name of ['writer.ai.svc', '0.writer.ai.svc.cluster.local']) {
        expect(review(creation(wanting('ai/new', name)))).to.deep.equal(
          refused(
            `  spec.certificate.dnsNames: "${name}" is a name of the Service of AgentIdentity writer.`,
            '    One name belongs to one agent: take it out of one of the two.',
          ),
        );
      }
    });

    it('refuses a new agent whose Service another lists', async () => {
      const review = await reviewer(lists);
      expect(review(creation(stored('ai/db', {})))).to.deep.equal(
        refused(
          '  metadata.name: a name of Service db stands in the dnsNames of AgentIdentity holder.',
          '    Take it out there, or choose another name.',
        ),
      );
    });

    it('does not hold against an edit what was there before', async () => {
      const other = wanting('ai/other', 'db.ai.svc');
      const review = await reviewer({ agentidentities: [WRITER, HOLDER, other] });
      const edited = wanting('ai/other', 'db.ai.svc', 'free.ai.svc');
      expect(review(update(other, edited))).to.deep.equal({ kind: 'allowed' });
    });
  });

  it('refuses what no Secret can have, field by field', async () => {
    const review = await reviewer();
    const secretTemplate = { labels: { 'a b': 'x' }, annotations: { 'x.agenttrust.dev/y': '' } };
    expect(review(creation(stored('ai/new', { certificate: { secretTemplate } })))).to.have.property(
      'kind',
      'refused',
    );
  });

  it('warns of fields that nothing acts on yet, when they are new', async () => {
    const review = await reviewer();
    const spec = { server: { verifier: 'Authorizer' }, quarantine: {} };
    expect(review(creation(stored('ai/writer', spec))).warnings).to.deep.equal([
      'this version does not act on spec.server.verifier, spec.quarantine: the agent is not served until that is taken out',
    ]);
    expect(
      review(update(stored('ai/writer', spec), stored('ai/writer', { ...spec, acceptFrom: [] }))),
    ).to.deep.equal({ kind: 'allowed' });
  });

  it('rejects a ServiceAccount that an older identity has', async () => {
    const older = stored('ai/elder', { serviceAccountName: 'shared' });
    const review = await reviewer({ agentidentities: [older] });
    const later = stored('ai/later', { serviceAccountName: 'shared' });
    expect(review(creation(later))).to.deep.equal(
      refused(
        '  spec.serviceAccountName: ServiceAccount ai/shared is the identity of the older AgentIdentity elder. Create a ServiceAccount for this agent alone and a new AgentIdentity that names it.',
      ),
    );
    expect(review(creation(stored('ai/shared', {}))).kind).to.equal('refused');
    expect(review(creation(stored('data/shared', {})))).to.deep.equal({ kind: 'allowed' });
    expect(
      review(update(later, stored('ai/later', { serviceAccountName: 'shared', acceptFrom: [] }))).kind,
    ).to.equal('allowed');
  });

  it('accepts an identity that is made again before the old one is known to be gone', async () => {
    const review = await reviewer({ agentidentities: [WRITER] });
    const again = { ...WRITER, metadata: { ...WRITER.metadata, uid: 'another' } };
    expect(review(creation(again))).to.deep.equal({ kind: 'allowed' });
  });

  it('rejects a Secret that another identity of the namespace wants', async () => {
    const other = stored('ai/elder', { certificate: { secretName: 'writer-tls' } });
    const review = await reviewer({ agentidentities: [other, stored('ai/third', {})] });
    expect(review(creation(WRITER))).to.deep.equal(
      refused(
        '  spec.certificate.secretName: Secret ai/writer-tls is the one of AgentIdentity elder.',
        '    Name a Secret for this agent alone.',
      ),
    );
    const keys = stored('ai/writer', {
      certificate: { secretName: 'own' },
      signingKey: { secretName: 'third-tls' },
    });
    expect(review(creation(keys))).to.deep.equal(
      refused(
        '  spec.signingKey.secretName: Secret ai/third-tls is the one of AgentIdentity third.',
        '    Name a Secret for this agent alone.',
      ),
    );
    const own = stored('ai/writer', { certificate: { secretName: 'own' } });
    expect(review(creation(own))).to.deep.equal({ kind: 'allowed' });
    expect(
      review(update(own, stored('ai/writer', { certificate: { secretName: 'third-tls' } }))).kind,
    ).to.equal('refused');
    expect(review(update(other, { ...other, spec: { ...other.spec, acceptFrom: [] } }))).to.deep.equal({
      kind: 'allowed',
    });
    expect(review(creation(stored('data/writer', {})))).to.deep.equal({ kind: 'allowed' });
  });

  it('rejects callers that are agents, itself among them, and paths that are routes', async () => {
    const caller = (account: string, path = '/healthz') => ({
      serviceAccounts: [account],
      ports: [8443],
      paths: [path],
    });
    const review = await reviewer({ agentidentities: [COORDINATOR, stored('far/agent', {})] });
    const callers = [
      caller('istio-ingress/gateway'),
      caller('ai/coordinator'),
      caller('ai/writer'),
      caller('far/agent'),
      caller('ops/probe', '/v1/delegate'),
    ];
    expect(review(creation(stored('ai/writer', { callers })))).to.deep.equal(
      refused(
        '  spec.callers[1].serviceAccounts[0] ai/coordinator is the identity of an agent: agents are let in by a DelegationPolicy, so take it out here and write a rule.',
        '  spec.callers[2].serviceAccounts[0] ai/writer is the identity of an agent: agents are let in by a DelegationPolicy, so take it out here and write a rule.',
        '  spec.callers[4].paths[0] /v1/delegate is the path of the route POST /v1/delegate, which only agents may call: give the caller a path of its own.',
      ),
    );
  });

  it('accepts callers that became agents, as long as no others come', async () => {
    const caller = (account: string) => ({ serviceAccounts: [account], ports: [8443], paths: ['/healthz'] });
    const review = await reviewer({ agentidentities: [COORDINATOR, PLANNER] });
    const before = stored('ai/writer', { callers: [caller('ops/probe'), caller('ai/coordinator')] });
    const fewer = stored('ai/writer', { callers: [caller('ai/coordinator')] });
    const more = stored('ai/writer', { callers: [caller('ai/coordinator'), caller('ai/planner')] });
    expect(review(update(before, fewer))).to.deep.equal({ kind: 'allowed' });
    expect(review(update(before, more))).to.deep.equal(
      refused(
        '  spec.callers[1].serviceAccounts[0] ai/planner is the identity of an agent: agents are let in by a DelegationPolicy, so take it out here and write a rule.',
      ),
    );
  });

  it('warns those who let the new agent in as a caller', async () => {
    const callers = [{ serviceAccounts: ['ai/writer'], ports: [8443], paths: ['/healthz'] }];
    const review = await reviewer({ agentidentities: [stored('data/archive', { callers })] });
    expect(review(creation(WRITER)).warnings).to.deep.equal([
      'AgentIdentity data/archive names ai/writer in spec.callers, which no agent may be: nobody can call data/archive until it is taken out there',
    ]);
    expect(review(update(WRITER, COORDINATOR)).warnings).to.equal(undefined);
  });

  it('rejects what the schema may let through, when it is new', async () => {
    const review = await reviewer();
    const bad = {
      capabilities: [{ name: 'a b' }, { name: 'x', use: 'Both' }],
      enforcement: 'Maybe',
      tokens: { maxUses: 9 },
    };
    expect(review(creation(stored('ai/writer', bad)))).to.deep.equal(
      refused(
        '  spec.capabilities[0].name must be an exact name of letters, digits and _ . : -.',
        '  spec.capabilities[1].use must be Invoke or Delegate.',
        '  spec.tokens.maxUses must be 1 to 5.',
        '  spec.enforcement must be Enforce or DryRun.',
      ),
    );
    expect(
      review(update(stored('ai/writer', bad), stored('ai/writer', { ...bad, acceptFrom: [] }))).kind,
    ).to.equal('allowed');
  });
});
