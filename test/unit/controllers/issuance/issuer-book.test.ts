import { expect } from 'chai';
import { ISSUERS_NAME } from '../../../../src/api/group.ts';
import { IssuerBook, type ListedIssuer } from '../../../../src/controllers/issuance/issuer-book.ts';
import type { AuthorityCertificate } from '../../../../src/crypto/authority-reader.ts';
import { readIssuerCertificates } from '../../../../src/crypto/issuer-certificates.ts';
import { withDefaults } from '../../../../src/domain/issuance/issuer.ts';
import { caughtKubeError } from '../../../support/caught.ts';
import { ConfigMapStore } from '../../../support/config-map-store.ts';
import { LONG } from '../../../support/issuance/bad-answers.ts';
import { TestCA } from '../../../support/issuance/test-ca.ts';
import { T0 } from '../../crypto/fixture.ts';

const MINUTE = 60_000;
const { signal } = new AbortController();

function ca(name: string): AuthorityCertificate {
  const read = readIssuerCertificates(Buffer.from(new TestCA({ name, ...LONG }).pem));
  const [certificate] = read.kind === 'certificates' ? read.certificates : [];
  if (certificate === undefined) throw new Error('the CA of the test is none');
  return certificate;
}

describe('IssuerBook', () => {
  const [one, two, three] = [ca('one'), ca('two'), ca('three')];
  const withCA: ListedIssuer = { ...withDefaults({ name: 'with-ca' }), certificates: [one] };
  const without: ListedIssuer = { ...withDefaults({ name: 'without' }), certificates: [] };
  let store: ConfigMapStore;
  let nowMs: number;

  beforeEach(() => {
    store = new ConfigMapStore();
    nowMs = T0;
  });

  const bookOf = (...listed: readonly ListedIssuer[]): IssuerBook =>
    new IssuerBook({ listed, store, namespace: 'agent-trust-system', nowMs: () => nowMs });
  const idsOf = (book: IssuerBook): readonly string[] => book.trusted.map(({ id }) => id);

  it('without issuers is complete at once, and writes nothing', async () => {
    const book = bookOf();
    expect(book.isComplete).to.equal(true);
    await book.load(signal);
    expect([store.calls, book.trusted]).to.deep.equal([[], []]);
  });

  it('trusts nothing before it is loaded, then what the list says, and writes since when', async () => {
    const book = bookOf(withCA, without);
    expect([book.isComplete, idsOf(book)]).to.deep.equal([false, []]);
    await book.load(signal);
    expect([book.isComplete, idsOf(book)]).to.deep.equal([true, [one.id]]);
    expect(book.casOf(withCA)).to.deep.equal([{ certificate: one, sinceMs: T0 }]);
    expect(store.writes).to.deep.equal([`create ${ISSUERS_NAME}`]);
  });

  it('learns the CA of an issuer without one, once, and the next leader knows it', async () => {
    const book = bookOf(withCA, without);
    await book.load(signal);
    let changes = 0;
    book.onChange(() => changes++);
    nowMs += MINUTE;
    expect(await book.learn(without, two, signal)).to.equal(true);
    expect(await book.learn(without, three, signal)).to.equal(false);
    expect(await book.learn(withCA, three, signal)).to.equal(false);
    expect([changes, idsOf(book)]).to.deep.equal([1, [one.id, two.id]]);
    const next = bookOf(withCA, without);
    nowMs += MINUTE;
    await next.load(signal);
    expect(idsOf(next)).to.deep.equal([one.id, two.id]);
    expect(next.casOf(without)[0]?.sinceMs).to.equal(T0 + MINUTE);
    expect(store.writes).to.deep.equal([`create ${ISSUERS_NAME}`, `replace ${ISSUERS_NAME}`]);
  });

  it('trusts one of two CAs that come at once, and loses none of two issuers', async () => {
    const other: ListedIssuer = { ...withDefaults({ name: 'other' }), certificates: [] };
    const book = bookOf(without, other);
    await book.load(signal);
    const learned = await Promise.all([
      book.learn(without, one, signal),
      book.learn(without, two, signal),
      book.learn(other, three, signal),
    ]);
    expect(learned).to.deep.equal([true, false, true]);
    const next = bookOf(without, other);
    await next.load(signal);
    expect(idsOf(next)).to.deep.equal([one.id, three.id]);
  });

  it('trusts no CA that could not be written, and learns it at the next try', async () => {
    const book = bookOf(without);
    await book.load(signal);
    store.fate = ({ verb }) => (verb === 'create' ? 'refused' : 'answered');
    await caughtKubeError(book.learn(without, one, signal));
    expect(idsOf(book)).to.deep.equal([]);
    store.fate = () => 'answered';
    expect(await book.learn(without, one, signal)).to.equal(true);
  });

  it('trusts a second CA of the list beside the first, since later', async () => {
    await bookOf(withCA).load(signal);
    nowMs += MINUTE;
    const book = bookOf({ ...withCA, certificates: [two, one] });
    await book.load(signal);
    expect(book.casOf(withCA).map(({ sinceMs }) => sinceMs)).to.deep.equal([T0 + MINUTE, T0]);
  });

  it('forgets an issuer that left the list', async () => {
    const before = bookOf(withCA, without);
    await before.load(signal);
    await before.learn(without, two, signal);
    await bookOf(withCA).load(signal);
    const again = bookOf(withCA, without);
    await again.load(signal);
    expect(idsOf(again)).to.deep.equal([one.id]);
  });

  it('leaves out what somebody spoiled', async () => {
    await bookOf(withCA).load(signal);
    store.edit(ISSUERS_NAME, (object) => ({ ...object, data: { ...object.data, x: 'since ever\nno PEM' } }));
    const book = bookOf(withCA);
    await book.load(signal);
    expect(idsOf(book)).to.deep.equal([one.id]);
  });
});
