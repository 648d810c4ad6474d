/** The book with real caches, against a loopback server that lists and tells what a test says. */

import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';
import { DelegationView } from '../../../src/cluster/delegation-view.ts';
import { GraphBook } from '../../../src/cluster/graph-book.ts';
import { ClusterView } from '../../../src/controllers/cluster-view.ts';
import { KnownContents } from '../../../src/controllers/identity/known-contents.ts';
import type { GraphChange } from '../../../src/domain/delegation/graph.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { eventually } from '../../support/eventually.ts';
import { type Answerer, json } from '../../support/loopback-server.ts';
import { type Loopback, startLoopback } from '../../support/loopback-transport.ts';

type Plural = 'agentidentities' | 'delegationpolicies' | 'capabilityboundaries' | 'namespaces';

interface Thing {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
}

const NAMESPACE = 'ai-agents';
let version = 100;

function thing(name: string, spec: object, rest: object = {}): Thing {
  version += 1;
  const metadata = {
    name,
    namespace: NAMESPACE,
    uid: name,
    resourceVersion: String(version),
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return { metadata, ...{ spec }, ...rest };
}

const GET = { capabilities: [{ name: 'kubectl_get' }] };
const agent = (name: string, spec: object = {}): Thing => thing(name, { ...GET, ...spec });
const policy = (from: string, rest: object = {}): Thing =>
  thing(`of-${from}`, { rules: [{ from, to: ['deployer'], ...GET }] }, rest);

describe('GraphBook', () => {
  let loopback: Loopback;
  let stop: AbortController;
  let running: Promise<unknown>;
  let watches: Map<string, ServerResponse>;
  /** Lists that are answered only now. */
  let answers: Map<string, () => void>;
  let told: GraphChange[];

  /** Starts the caches; the lists of `late` are answered by `answers`. */
  async function start(
    lists: Partial<Record<Plural, readonly Thing[]>>,
    late: readonly Plural[] = [],
  ): Promise<GraphBook> {
    [watches, answers, told] = [new Map(), new Map(), []];
    const answer: Answerer = (response, request) => {
      const plural = request.path.split('/').at(-1) ?? '';
      if (request.query['watch'] === '1') {
        watches.set(plural, response.writeHead(200, { 'content-type': 'application/json' }));
        response.flushHeaders();
        return;
      }
      const items = lists[plural as Plural] ?? [];
      const list = (): void =>
        json(200, { metadata: { resourceVersion: String(version) }, items })(response, request);
      if (late.includes(plural as Plural)) answers.set(plural, list);
      else list();
    };
    loopback = await startLoopback(answer, { tls: false });
    const cache = { client: new KubeClient({ transport: loopback.transport, fieldManager: 'test' }) };
    const view = new ClusterView({
      cache,
      namespaces: [NAMESPACE],
      operatorNamespace: 'agent-trust-system',
      judge: { trusted: () => [], known: new KnownContents() },
    });
    const delegation = new DelegationView({ cache });
    const book = new GraphBook({ view, delegation });
    book.onChange((change) => told.push(change));
    stop = new AbortController();
    const caches = [view.identities, ...delegation.caches()];
    running = Promise.all(caches.map((each) => each.start(stop.signal)));
    await eventually('the lists', () => watches.size + answers.size === caches.length);
    return book;
  }

  function send(plural: Plural, type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Thing): void {
    watches.get(plural)?.write(`${JSON.stringify({ type, object })}\n`);
  }

  /** Waits for so many changes in all, and gives the edges and policies of the last. */
  async function changes(count: number): Promise<unknown> {
    await eventually(`${count} changes`, () => told.length >= count);
    expect(told.length).to.equal(count);
    const last = told.at(-1);
    return { edges: [...(last?.edges ?? [])].sort(), policies: [...(last?.policies ?? [])].sort() };
  }

  const edge = (from: string): string => `${NAMESPACE}/${from}>${NAMESPACE}/deployer`;

  afterEach(async () => {
    stop.abort();
    await running;
    await loopback.close();
  });

  it('tells nothing before everything is listed, then all at once', async () => {
    const lists = {
      agentidentities: [agent('coordinator'), agent('deployer')],
      delegationpolicies: [policy('coordinator')],
    };
    const book = await start(lists, ['namespaces']);
    await eventually('the edge', () => book.graph.edgeCount === 1);
    expect([book.isComplete, book.missing, told]).to.deep.equal([false, ['namespaces'], []]);
    answers.get('namespaces')?.();
    expect(await changes(1)).to.deep.equal({
      edges: [edge('coordinator')],
      policies: [`${NAMESPACE}/of-coordinator`],
    });
    expect([book.isComplete, book.missing]).to.deep.equal([true, []]);
  });

  it('tells of both identities on a ServiceAccount in one change when the older goes', async () => {
    const older = agent('a-older', { serviceAccountName: 'one' });
    await start({
      agentidentities: [older, agent('b-later', { serviceAccountName: 'one' }), agent('deployer')],
      delegationpolicies: [policy('a-older'), policy('b-later')],
    });
    expect(await changes(1)).to.deep.include({ edges: [edge('a-older')] });
    send('agentidentities', 'DELETED', { ...older, metadata: agent('a-older').metadata });
    expect(await changes(2)).to.deep.equal({
      edges: [edge('a-older'), edge('b-later')],
      policies: [`${NAMESPACE}/of-a-older`, `${NAMESPACE}/of-b-later`],
    });
  });

  it('tells nothing when only a status is written', async () => {
    await start({
      agentidentities: [agent('coordinator'), agent('deployer')],
      delegationpolicies: [policy('coordinator')],
    });
    await changes(1);
    send('delegationpolicies', 'MODIFIED', policy('coordinator', { status: { edgeCount: 1 } }));
    send('delegationpolicies', 'ADDED', policy('analyst'));
    expect(await changes(2)).to.deep.equal({ edges: [], policies: [`${NAMESPACE}/of-analyst`] });
  });

  it('takes all of a policy out when a field of it is refused, or its deletion is asked for', async () => {
    const book = await start({
      agentidentities: [agent('coordinator'), agent('deployer')],
      delegationpolicies: [policy('coordinator')],
    });
    await changes(1);
    const { spec } = policy('coordinator') as Thing & { readonly spec: object };
    send('delegationpolicies', 'MODIFIED', thing('of-coordinator', { ...spec, maxDepth: 9 }));
    expect(await changes(2)).to.deep.include({ edges: [edge('coordinator')] });
    send('delegationpolicies', 'MODIFIED', policy('coordinator'));
    expect(await changes(3)).to.deep.include({ edges: [edge('coordinator')] });
    const going = policy('coordinator');
    const metadata = { ...going.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' };
    send('delegationpolicies', 'MODIFIED', { ...going, metadata });
    expect(await changes(4)).to.deep.include({ edges: [edge('coordinator')] });
    expect(book.graph.edgeCount).to.equal(0);
  });
});
