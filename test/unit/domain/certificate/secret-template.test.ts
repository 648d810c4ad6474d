import { expect } from 'chai';
import {
  formerKeys,
  isStaleRecord,
  recordedTemplate,
  TEMPLATE_ANNOTATION,
  templateProblems,
  templateRecord,
} from '../../../../src/domain/certificate/secret-template.ts';

const NONE = { labels: {}, annotations: {} };
const NO_KEYS = { labels: [], annotations: [] };

describe('templateProblems', () => {
  it('accepts names with and without prefix, and the longest there are', () => {
    const names = ['team', 'a.b_c-9', 'example.org/team', `${'p'.repeat(253)}/${'n'.repeat(63)}`];
    const labels = Object.fromEntries(names.map((name) => [name, 'x']));
    expect(templateProblems({ labels, annotations: labels })).to.deep.equal([]);
    expect(templateProblems({ labels: { a: '', b: 'A.b_c-9' }, annotations: { a: 'ü\n' } })).to.deep.equal(
      [],
    );
  });

  const reserved = [
    'agenttrust.dev/agent',
    'x.agenttrust.dev/y',
    'app.kubernetes.io/name',
    'kubernetes.io/x',
    'k8s.io/x',
    'argocd.argoproj.io/instance',
  ];
  for (const name of reserved) {
    it(`rejects ${name}, which is somebody's`, () => {
      expect(templateProblems({ labels: { [name]: 'x' }, annotations: { [name]: 'x' } })).to.deep.equal(
        ['labels', 'annotations'].map(
          (field) =>
            `spec.certificate.secretTemplate.${field} must not have ${name}: agenttrust.dev, kubernetes.io, k8s.io and argocd.argoproj.io are reserved`,
        ),
      );
    });
  }

  for (const name of [
    '',
    'a b',
    '-a',
    'a/',
    '/a',
    'a/b/c',
    'A.b/c',
    'n'.repeat(64),
    `${'p'.repeat(254)}/n`,
  ]) {
    it(`rejects the name ${JSON.stringify(name.slice(0, 20))}`, () => {
      expect(templateProblems({ labels: {}, annotations: { [name]: 'x' } })).to.deep.equal([
        `spec.certificate.secretTemplate.annotations must not have ${JSON.stringify(name.slice(0, 80))}, which is no name`,
      ]);
    });
  }

  for (const value of ['a b', '-a', 'v'.repeat(64)]) {
    it(`rejects the label value ${JSON.stringify(value.slice(0, 20))}`, () => {
      expect(templateProblems({ labels: { team: value }, annotations: {} })).to.deep.equal([
        'spec.certificate.secretTemplate.labels team must have a value of at most 63 letters, digits, ".", "_" and "-"',
      ]);
    });
  }
});

describe('templateRecord', () => {
  it('names what the template has, sorted, without values', () => {
    const record = templateRecord({ labels: { team: 'a', app: 'b' }, annotations: { note: 'secret' } });
    expect(record).to.equal('{"labels":["app","team"],"annotations":["note"]}');
  });

  it('is nothing for an empty template', () => expect(templateRecord(NONE)).to.equal(undefined));
});

describe('formerKeys', () => {
  const record = (text: string) => ({ [TEMPLATE_ANNOTATION]: text });

  it('names what is there, was put there, and is not wanted any more', () => {
    const labels = { team: 'a', app: 'b', foreign: 'c' };
    const annotations = { note: 'd', ...record('{"labels":["app","gone","team"],"annotations":["note"]}') };
    expect(formerKeys({ labels: { app: 'b' }, annotations: {} }, { labels, annotations })).to.deep.equal({
      labels: ['team'],
      annotations: ['note'],
    });
  });

  it('never names what is ours, whatever the record says', () => {
    const own = { 'agenttrust.dev/managed': 'true' };
    const text = '{"labels":["agenttrust.dev/managed"],"annotations":["agenttrust.dev/secret-template"]}';
    expect(formerKeys(NONE, { labels: own, annotations: record(text) })).to.deep.equal(NO_KEYS);
  });

  for (const text of [
    '',
    'null',
    '[]',
    '{',
    '{"labels":"team"}',
    '{"labels":[1]}',
    `{"labels":["team"]}${' '.repeat(24_000)}`,
  ]) {
    it(`takes nothing from the record ${JSON.stringify(text.slice(0, 20))}`, () => {
      expect(formerKeys(NONE, { labels: { team: 'a' }, annotations: record(text) })).to.deep.equal(NO_KEYS);
    });
  }
});

describe('recordedTemplate', () => {
  it('gives what the Secret remembers and still has, and nothing else', () => {
    const annotations = { [TEMPLATE_ANNOTATION]: '{"labels":["team","gone"],"annotations":["note"]}' };
    const found = recordedTemplate({
      labels: { team: 'a', other: 'b' },
      annotations: { ...annotations, note: 'c', more: 'd' },
    });
    expect(found).to.deep.equal({ labels: { team: 'a' }, annotations: { note: 'c' } });
  });
  it('gives nothing without a record', () =>
    expect(recordedTemplate({ labels: { team: 'a' }, annotations: {} })).to.deep.equal(NONE));
});

describe('isStaleRecord', () => {
  const recorded = { annotations: { [TEMPLATE_ANNOTATION]: '{}' } };
  it('accepts no record without template, and one with', () => {
    expect([isStaleRecord(NONE, NONE), isStaleRecord(recorded, recorded)]).to.deep.equal([false, false]);
  });
  it('rejects one without template', () => expect(isStaleRecord(NONE, recorded)).to.equal(true));
});
