import { expect } from 'chai';
import {
  hostInNamespace,
  isDnsName,
  isDnsNameOfNamespace,
  serviceDnsNames,
  serviceOfHost,
} from '../../../../src/domain/certificate/dns-name.ts';

describe('isDnsName', () => {
  for (const name of ['a', 'a.b', 'a-b.c9', '9a', 'a'.repeat(63), Array(127).fill('a').join('.')]) {
    it(`accepts ${name.slice(0, 40)}`, () => expect(isDnsName(name)).to.equal(true));
  }

  const rejected = ['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'A', '*.a', 'a_b', 'a b', 'a\n', 'a'.repeat(64)];
  for (const name of [...rejected, Array(128).fill('a').join('.')]) {
    it(`rejects ${JSON.stringify(name.slice(0, 40))}`, () => expect(isDnsName(name)).to.equal(false));
  }
});

describe('serviceDnsNames', () => {
  it('gives the short name first', () => {
    expect(serviceDnsNames('a', 'ns', 'cluster.local')).to.deep.equal(['a.ns.svc', 'a.ns.svc.cluster.local']);
  });
});

describe('isDnsNameOfNamespace', () => {
  for (const name of ['b.ns.svc', 'b.ns.svc.cluster.local', '0.b.ns.svc']) {
    it(`accepts ${name}`, () => expect(isDnsNameOfNamespace(name, 'ns', 'cluster.local')).to.equal(true));
  }

  const rejected = [
    'ns.svc',
    '.ns.svc',
    'b.other.svc',
    'b.ns',
    'b-ns.svc',
    'b.ns.svc.example.org',
    'example.org',
  ];
  for (const name of rejected) {
    it(`rejects ${name}`, () => expect(isDnsNameOfNamespace(name, 'ns', 'cluster.local')).to.equal(false));
  }
});

describe('hostInNamespace', () => {
  const cases: Readonly<Record<string, string | undefined>> = {
    'db.ns.svc': 'db',
    'db.ns.svc.cluster.local': 'db',
    '0.db.ns.svc': '0.db',
    'ns.svc': undefined,
    '.ns.svc': undefined,
    'db.other.svc': undefined,
    'db.ns.svcs': undefined,
  };
  for (const [name, host] of Object.entries(cases)) {
    it(`finds ${host} in ${name}`, () => expect(hostInNamespace(name, 'ns')).to.equal(host));
  }
});

describe('serviceOfHost', () => {
  it('is the last label', () => {
    expect(['db', '0.db', 'a.b.db'].map(serviceOfHost)).to.deep.equal(['db', 'db', 'db']);
  });
});
