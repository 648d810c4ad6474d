/** The event object that the API server is sent. */

import { expect } from 'chai';
import type { EventInput } from '../../../src/kube/event.ts';
import { cutNote, newEvent } from '../../../src/kube/event.ts';
import { T0 } from '../../support/manual-clock.ts';

const reporter = { reportingController: 'agenttrust.dev/controller', reportingInstance: 'controller-0' };
const input: EventInput = {
  regarding: { apiVersion: 'v1', kind: 'Secret', namespace: 'ai-agents', name: 'agent', uid: 'u-1' },
  type: 'Normal',
  reason: 'Issued',
  action: 'Issue',
  note: 'The first certificate was written.',
};

describe('newEvent', () => {
  it('makes an object the API server takes', () => {
    const { metadata, ...rest } = newEvent(input, reporter, T0 + 7);
    expect(rest).to.deep.equal({ ...input, ...reporter, eventTime: '2026-01-01T00:00:00.007000Z' });
    expect(metadata.namespace).to.equal('ai-agents');
    expect(metadata.name).to.match(/^agent\.[0-9a-f]{16}$/);
  });

  it('gives every event a name of its own', () => {
    expect(newEvent(input, reporter, T0).metadata.name).to.not.equal(
      newEvent(input, reporter, T0).metadata.name,
    );
  });

  it('puts events about cluster-scoped objects into the namespace default', () => {
    const { namespace: _, ...regarding } = input.regarding;
    expect(newEvent({ ...input, regarding }, reporter, T0).metadata.namespace).to.equal('default');
  });

  for (const [name, prefix] of [
    [`a${'b'.repeat(252)}`, `a${'b'.repeat(229)}`],
    [`${'a'.repeat(229)}.b`, 'a'.repeat(229)],
    ['system:Node', 'system-node'],
  ] as const) {
    it(`names the event of an object called ${name.slice(0, 12)}... validly`, () => {
      const event = newEvent({ ...input, regarding: { ...input.regarding, name } }, reporter, T0);
      expect(event.metadata.name.slice(0, -17)).to.equal(prefix);
      expect(event.metadata.name.length).to.be.at.most(253);
    });
  }

  it('cuts what the API server would refuse', () => {
    const long = 'x'.repeat(2000);
    const event = newEvent(
      { ...input, reason: long, action: long, note: long },
      { ...reporter, reportingInstance: long },
      T0,
    );
    expect([event.reason, event.action, event.reportingInstance].map(({ length }) => length)).to.deep.equal([
      128, 128, 128,
    ]);
    expect(event.note).to.equal(`${'x'.repeat(1021)}…`);
  });
});

describe('cutNote', () => {
  it('accepts 1,024 bytes', () => {
    expect(cutNote('ä'.repeat(512))).to.equal('ä'.repeat(512));
  });

  it('cuts between characters, not within one', () => {
    const cut = cutNote('😀'.repeat(257));
    expect([cut, Buffer.byteLength(cut)]).to.deep.equal([`${'😀'.repeat(255)}…`, 1023]);
  });
});
