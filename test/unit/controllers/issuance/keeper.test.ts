import { expect } from 'chai';
import type { AgentIdentity } from '../../../../src/api/agent-identity.ts';
import { Attempts } from '../../../../src/controllers/identity/attempts.ts';
import type { Signing } from '../../../../src/controllers/issuance/answer.ts';
import { IssuanceDesk } from '../../../../src/controllers/issuance/desk.ts';
import type { IssuerBook } from '../../../../src/controllers/issuance/issuer-book.ts';
import { IssuanceKeeper } from '../../../../src/controllers/issuance/keeper.ts';
import { Stages } from '../../../../src/controllers/issuance/stages.ts';
import { issuerId } from '../../../../src/domain/issuance/issuer.ts';
import { KubeError } from '../../../../src/kube/errors.ts';
import { caughtKubeError } from '../../../support/caught.ts';
import { IssuerWorld, issuerCA, listedIssuer } from '../../../support/issuance/issuer-world.ts';

const HOUR = 3_600_000;
const NAMESPACE = 'agent-trust-system';

describe('IssuanceKeeper.signingOf', () => {
  const [one, two] = [issuerCA('one'), issuerCA('two')];
  const listed = listedIssuer('agents-ca', [one]);
  let world: IssuerWorld;

  beforeEach(() => {
    world = new IssuerWorld();
  });

  /** For an agent whose spec names `agents-ca`; `isFenced` is what is seen now. */
  function signing(book: IssuerBook, isFenced = true): Signing {
    const metadata = { name: 'a', namespace: 'b', uid: 'c', resourceVersion: '1', generation: 1 };
    const desk = new IssuanceDesk({
      view: { request: () => undefined, observe: () => {} },
      book,
      client: { create: async (_type, object) => object, find: async () => undefined },
      ledger: { commit: async () => {} },
      attempts: new Attempts(),
      stages: new Stages(),
      operatorNamespace: NAMESPACE,
      acceleration: 1,
      nowMs: () => world.nowMs,
      tell: () => {},
    });
    const view = { requestState: 'ready', isFenced: () => isFenced } as const;
    const identity: AgentIdentity = {
      metadata: { ...metadata, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { certificate: { issuerRef: { name: 'agents-ca' } } },
    };
    return new IssuanceKeeper({ view, book, desk, operatorNamespace: NAMESPACE }).signingOf(identity);
  }

  const problemOf = (found: Signing): string | undefined =>
    found.kind === 'issuer' ? found.problem?.reason : undefined;

  it('has the CA of the list sign', async () => {
    const found = signing(await world.lead(listed));
    expect(found).to.have.nested.property('by.signing.id', one.id);
    expect(problemOf(found)).to.equal(undefined);
  });

  it('accepts leaves of the CA before until they end, and has the new one sign', async () => {
    await world.lead(listed);
    world.addLeaf(one, HOUR);
    const found = signing(await world.lead(listedIssuer('agents-ca', [two])));
    if (found.kind !== 'issuer') throw new Error(found.kind);
    expect(found.by.signing.id).to.equal(two.id);
    expect(found.by.trusted.map(({ id }) => id)).to.deep.equal([two.id, one.id]);
  });

  it('refuses an issuer that is not listed, or a former one', async () => {
    for (const book of [await world.lead(), await world.lead(listedIssuer('agents-ca', [one], true))])
      expect(signing(book)).to.include({ kind: 'refused', reason: 'IssuerNotListed' });
  });

  it('asks nothing without a fence', async () => {
    expect(problemOf(signing(await world.lead(listed), false))).to.equal('IssuerNotFenced');
  });

  it('asks nothing before the CA of the list is trusted', async () => {
    world.unfenced.add(issuerId(listed));
    expect(problemOf(signing(await world.lead(listed)))).to.equal('IssuerPending');
  });

  it('asks nothing while the ConfigMap cannot be written', async () => {
    world.server.arrival = async () => {
      throw new KubeError('KUBE_FORBIDDEN', 'get configmaps');
    };
    const { signal } = new AbortController();
    const book = world.book(listed);
    await book.load(signal);
    await caughtKubeError(book.keep(signal));
    expect(problemOf(signing(book))).to.equal('IssuerUnavailable');
  });
});
