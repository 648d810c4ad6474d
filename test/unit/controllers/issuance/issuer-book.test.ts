import { expect } from 'chai';
import { ANNOTATION_SIGNATURE, ISSUERS_NAME } from '../../../../src/api/group.ts';
import type { ConfigMap } from '../../../../src/controllers/bundle/bundle-record.ts';
import type { IssuerBook } from '../../../../src/controllers/issuance/issuer-book.ts';
import { issuersConfigMap, issuerTexts } from '../../../../src/controllers/issuance/issuer-state.ts';
import { issuerId } from '../../../../src/domain/issuance/issuer.ts';
import { KubeError } from '../../../../src/kube/errors.ts';
import { caughtKubeError } from '../../../support/caught.ts';
import { IssuerWorld, issuerCA, listedIssuer } from '../../../support/issuance/issuer-world.ts';
import { storedAuthority, T0 } from '../../crypto/fixture.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const { signal } = new AbortController();
const CREATED = `create ${ISSUERS_NAME}`;
const REPLACED = `replace ${ISSUERS_NAME}`;

describe('IssuerBook', () => {
  const [one, two, three] = [issuerCA('one'), issuerCA('two'), issuerCA('three')];
  const withCA = listedIssuer('with-ca', [one]);
  const without = listedIssuer('without');
  const id = issuerId(withCA);
  let world: IssuerWorld;

  beforeEach(() => {
    world = new IssuerWorld();
  });

  const idsOf = (book: IssuerBook): readonly string[] => book.trusted.map((each) => each.id);
  const stored = (): ConfigMap | undefined => world.server.objects.get(ISSUERS_NAME);
  const refuse = (verb: 'find' | 'replace' | 'create'): void => {
    world.server.arrival = async (call) => {
      if (call.verb === verb) throw new KubeError('KUBE_FORBIDDEN', `${verb} configmaps`);
    };
  };
  const allow = (): void => {
    world.server.arrival = async () => {};
  };

  it('without issuers writes nothing', async () => {
    const book = await world.lead();
    expect([book.isComplete, world.server.writes, book.trusted]).to.deep.equal([true, [], []]);
  });

  it('trusts nothing before it is loaded, then what the list says, and writes since when', async () => {
    const book = world.book(withCA, without);
    expect([book.isComplete, idsOf(book)]).to.deep.equal([false, []]);
    await book.load(signal);
    expect([book.isComplete, idsOf(book)]).to.deep.equal([true, [one.id]]);
    expect(await book.keep(signal)).to.equal(Number.POSITIVE_INFINITY);
    expect(book.casOf(withCA)).to.deep.equal([
      { certificate: one, sinceMs: T0, unfencedSinceMs: undefined, isCurrent: true, isTrusted: true },
    ]);
    expect([world.server.writes, world.told]).to.deep.equal([[CREATED], ['IssuerTrusted']]);
  });

  it('learns the CA of an issuer without one, once, and the next leader knows it', async () => {
    const book = await world.lead(withCA, without);
    let changes = 0;
    book.onChange(() => changes++);
    world.nowMs += MINUTE;
    expect(await book.learn(without, two, signal)).to.equal(true);
    expect(await book.learn(without, three, signal)).to.equal(false);
    expect(await book.learn(withCA, three, signal)).to.equal(false);
    expect([changes, idsOf(book)]).to.deep.equal([1, [one.id, two.id]]);
    world.nowMs += MINUTE;
    const next = await world.lead(withCA, without);
    expect(idsOf(next)).to.deep.equal([one.id, two.id]);
    expect(next.casOf(without)[0]?.sinceMs).to.equal(T0 + MINUTE);
    expect(world.server.writes).to.deep.equal([CREATED, REPLACED]);
  });

  it('trusts one of two CAs that come at once, and loses none of two issuers', async () => {
    const other = listedIssuer('other');
    const book = await world.lead(without, other);
    const learned = await Promise.all([
      book.learn(without, one, signal),
      book.learn(without, two, signal),
      book.learn(other, three, signal),
    ]);
    expect(learned).to.deep.equal([true, false, true]);
    expect(idsOf(await world.lead(without, other))).to.deep.equal([one.id, three.id]);
  });

  it('trusts no CA that could not be written, and learns it at the next try', async () => {
    const book = await world.lead(without);
    world.server.fate = ({ verb }) => (verb === 'create' ? 'refused' : 'answered');
    await caughtKubeError(book.learn(without, one, signal));
    expect(idsOf(book)).to.deep.equal([]);
    world.server.fate = () => 'answered';
    expect(await book.learn(without, one, signal)).to.equal(true);
  });

  it('trusts a second CA of the list beside the first, since later', async () => {
    await world.lead(withCA);
    world.nowMs += MINUTE;
    const book = await world.lead(listedIssuer('with-ca', [two, one]));
    expect(book.casOf(withCA).map(({ sinceMs }) => sinceMs)).to.deep.equal([T0 + MINUTE, T0]);
  });

  describe('without a fence', () => {
    beforeEach(() => world.unfenced.add(id));

    it('takes no CA in, listed or learned, until it is there', async () => {
      world.unfenced.add(issuerId(without));
      const book = await world.lead(withCA, without);
      expect(await book.learn(without, two, signal)).to.equal(false);
      expect([idsOf(book), stored()]).to.deep.equal([[], undefined]);
      expect(book.awaitsTrust(withCA)).to.equal(true);
      world.unfenced.clear();
      await book.keep(signal);
      expect([idsOf(book), book.awaitsTrust(withCA)]).to.deep.equal([[one.id], false]);
    });

    it('keeps one for ten minutes, says so once, and takes it out then', async () => {
      world.unfenced.clear();
      const book = await world.lead(withCA);
      world.addLeaf(one, HOUR);
      world.unfenced.add(id);
      world.nowMs += MINUTE;
      const untilMs = world.nowMs + 10 * MINUTE;
      expect(await book.keep(signal)).to.equal(untilMs);
      await book.keep(signal);
      world.nowMs = untilMs - 1;
      expect([await book.keep(signal), idsOf(book)]).to.deep.equal([untilMs, [one.id]]);
      world.nowMs = untilMs;
      await book.keep(signal);
      expect([idsOf(book), book.casOf(withCA), book.acceptedOf(withCA)]).to.deep.equal([[], [], []]);
      expect(world.told).to.deep.equal(['IssuerTrusted', 'IssuerNotFenced', 'IssuerUntrusted']);
    });

    it('counts from when the leader before has missed it', async () => {
      world.unfenced.clear();
      await world.lead(withCA);
      world.unfenced.add(id);
      await world.lead(withCA);
      world.nowMs += 10 * MINUTE;
      expect(idsOf(await world.lead(withCA))).to.deep.equal([]);
    });

    it('takes one out also where that cannot be written', async () => {
      world.unfenced.clear();
      const book = await world.lead(withCA);
      world.unfenced.add(id);
      await book.keep(signal);
      world.nowMs += 10 * MINUTE;
      refuse('replace');
      await book.keep(signal);
      expect(idsOf(book)).to.deep.equal([]);
    });

    it('trusts one that was learned again when the fence is back, since then, and no other', async () => {
      world.unfenced.clear();
      const book = await world.lead(without);
      await book.learn(without, two, signal);
      world.unfenced.add(issuerId(without));
      await book.keep(signal);
      world.nowMs += HOUR;
      const next = await world.lead(without);
      expect(idsOf(next)).to.deep.equal([]);
      world.unfenced.clear();
      expect([next.awaitsTrust(without), await next.learn(without, three, signal)]).to.deep.equal([
        true,
        false,
      ]);
      await next.keep(signal);
      expect(next.casOf(without).map(({ certificate, sinceMs }) => [certificate.id, sinceMs])).to.deep.equal([
        [two.id, T0 + HOUR],
      ]);
    });
  });

  describe('of an issuer that signs no more', () => {
    const LEFT: readonly (readonly [string, () => Promise<IssuerBook>])[] = [
      ['left the list', () => world.lead()],
      ['is listed as a former one', () => world.lead(listedIssuer('with-ca', [one], true))],
      ['has another CA on the list', () => world.lead(listedIssuer('with-ca', [two]))],
    ];
    for (const [title, lead] of LEFT) {
      it(`trusts the CA until its last leaf ends when it ${title}, and lets it sign nothing`, async () => {
        await world.lead(withCA);
        world.addLeaf(one, HOUR);
        const book = await lead();
        expect(idsOf(book)).to.include(one.id);
        expect(book.acceptedOf(withCA).map(({ certificate }) => certificate.id)).to.include(one.id);
        expect(book.casOf(withCA).map(({ certificate }) => certificate.id)).to.not.include(one.id);
        expect(await book.keep(signal)).to.equal(T0 + HOUR);
        world.nowMs += HOUR;
        await book.keep(signal);
        expect(idsOf(book)).to.not.include(one.id);
        expect(world.told.at(-1)).to.equal('IssuerUntrusted');
      });
    }

    it('forgets nothing while the clock is not that of the API server', async () => {
      await world.lead(withCA);
      world.isClockTrusted = false;
      const book = await world.lead();
      expect([idsOf(book), await book.keep(signal)]).to.deep.equal([[one.id], T0 + 30_000]);
      world.isClockTrusted = true;
      await book.keep(signal);
      expect(idsOf(book)).to.deep.equal([]);
    });

    it('asks nothing of a former one', async () => {
      const book = await world.lead(listedIssuer('with-ca', [one], true));
      expect([book.isListed(withCA), await book.learn(withCA, two, signal)]).to.deep.equal([false, false]);
    });

    it('forgets the CA at once when nothing lives of it', async () => {
      const before = await world.lead(withCA, without);
      await before.learn(without, two, signal);
      await world.lead(withCA);
      expect(idsOf(await world.lead(withCA, without))).to.deep.equal([one.id]);
    });
  });

  describe('when somebody else writes the ConfigMap', () => {
    const texts = issuerTexts(
      new Map([[issuerId(without), [{ certificate: three, sinceMs: T0, unfencedSinceMs: undefined }]]]),
    );
    const forged = (): ConfigMap => issuersConfigMap('agent-trust-system', texts, storedAuthority());
    const EDITS: readonly (readonly [string, (object: ConfigMap) => ConfigMap])[] = [
      ['another CA', (object) => ({ ...object, data: { ...object.data, ...texts } })],
      ['nothing at all', ({ data: _, ...object }) => object],
      ['further data', (object) => ({ ...object, binaryData: { x: 'eA==' } })],
      ['that it is immutable', (object) => ({ ...object, immutable: true })],
      ['no label', (object) => ({ ...object, metadata: { ...object.metadata, labels: {} } })],
      [
        'a signature of its own',
        (object) => ({ ...forged(), metadata: { ...forged().metadata, ...versionOf(object) } }),
      ],
    ];
    for (const [title, edit] of EDITS) {
      it(`puts it back that says ${title}`, async () => {
        const book = await world.lead(withCA, without);
        await book.learn(without, two, signal);
        const before = contentOf(stored());
        world.server.edit(ISSUERS_NAME, edit);
        await book.keep(signal);
        expect(contentOf(stored())).to.deep.equal(before);
        expect([idsOf(book), world.told.at(-1)]).to.deep.equal([[one.id, two.id], 'Repaired']);
        const { writes } = world.server;
        await book.keep(signal);
        expect(world.server.writes).to.deep.equal(writes);
      });
    }

    it('puts it back that was deleted', async () => {
      const book = await world.lead(withCA, without);
      await book.learn(without, two, signal);
      const before = contentOf(stored());
      world.server.objects.delete(ISSUERS_NAME);
      await book.keep(signal);
      expect([contentOf(stored()), world.told.at(-1)]).to.deep.equal([before, 'Repaired']);
    });

    it('believes nothing that the authority has not signed, as the next leader', async () => {
      await (await world.lead(without)).learn(without, two, signal);
      for (const edit of [EDITS[0], EDITS[5]]) {
        world.server.edit(ISSUERS_NAME, (object) => edit?.[1](object) ?? object);
        const book = await world.lead(without);
        expect([idsOf(book), world.told.at(-1)]).to.deep.equal([[], 'Repaired']);
        expect(await book.learn(without, two, signal)).to.equal(true);
      }
    });

    it('leaves it alone while the authority cannot be read, and reads it then', async () => {
      await (await world.lead(without)).learn(without, two, signal);
      world.spoiltSecret = { metadata: { name: 'agent-trust-ca' } };
      const book = world.book(without);
      await book.load(signal);
      expect(await book.keep(signal)).to.equal(T0 + 1_000);
      expect([await book.learn(without, three, signal), idsOf(book)]).to.deep.equal([false, []]);
      world.spoiltSecret = undefined;
      await book.keep(signal);
      expect(idsOf(book)).to.deep.equal([two.id]);
    });
  });

  it('is signed anew when another generation signs, so that the next leader believes it', async () => {
    const book = await world.lead(without);
    await book.learn(without, two, signal);
    const next = storedAuthority();
    world.generations = [...world.generations, next];
    await book.keep(signal);
    expect(stored()?.metadata.annotations?.[ANNOTATION_SIGNATURE]).to.match(new RegExp(`^${next.id}\\.`));
    world.generations = [next];
    expect(idsOf(await world.lead(without))).to.deep.equal([two.id]);
  });

  describe('without rights on the ConfigMap', () => {
    it('is complete with the list, says so, and learns nothing; it reads it when that is mended', async () => {
      await (await world.lead(withCA, without)).learn(without, two, signal);
      refuse('find');
      const book = world.book(withCA, without);
      await book.load(signal);
      expect([book.isComplete, idsOf(book)]).to.deep.equal([true, [one.id]]);
      expect(book.problem).to.match(
        /^ConfigMap agent-trust-issuers could not be read or written: find configmaps/,
      );
      expect((await caughtKubeError(book.keep(signal))).code).to.equal('KUBE_FORBIDDEN');
      expect(await book.learn(without, three, signal)).to.equal(false);
      expect(world.told.filter((reason) => reason === 'IssuersUnavailable')).to.have.length(1);
      allow();
      await book.keep(signal);
      expect([book.problem, idsOf(book)]).to.deep.equal([undefined, [one.id, two.id]]);
    });

    it('says so when it cannot be written', async () => {
      refuse('create');
      const book = world.book(withCA);
      await book.load(signal);
      await caughtKubeError(book.keep(signal));
      expect([book.problem === undefined, idsOf(book)]).to.deep.equal([false, [one.id]]);
      allow();
      await book.keep(signal);
      expect(book.problem).to.equal(undefined);
    });

    it('waits for a server that is away', async () => {
      world.server.fate = () => 'refused';
      const book = world.book(withCA);
      await caughtKubeError(book.load(signal));
      expect(book.isComplete).to.equal(false);
    });
  });
});

function versionOf({ metadata: { uid, resourceVersion } }: ConfigMap): object {
  return { uid, resourceVersion };
}

/** All but versions, and the signature, which is another each time. */
function contentOf(object: ConfigMap | undefined): object {
  const { data, binaryData, immutable, metadata } = object ?? { metadata: { name: '' } };
  return { data, binaryData, immutable, labels: metadata.labels };
}
