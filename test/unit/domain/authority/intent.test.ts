import { expect } from 'chai';
import { NO_INTENT } from '../../../../src/domain/authority/facts.ts';
import { readIntent } from '../../../../src/domain/authority/intent.ts';

const ID = '0123456789abcdef';
const OTHER = 'fedcba9876543210';

describe('readIntent', () => {
  it('accepts instants, and ids separated by whatever people put between them', () => {
    expect(
      readIntent({
        rotateBefore: ' 2026-03-01T12:00:00+01:00\n',
        taint: `${ID}, ${OTHER}\n`,
        revoke: `${OTHER} ${OTHER}`,
      }),
    ).to.deep.equal({
      intent: {
        rotateBeforeMs: Date.UTC(2026, 2, 1, 11),
        taint: new Set([ID, OTHER]),
        revoke: new Set([OTHER]),
      },
      problems: [],
    });
  });

  it('accepts nothing, in every form', () => {
    for (const data of [{}, { rotateBefore: '', taint: ' ', revoke: ',\n' }])
      expect(readIntent(data)).to.deep.equal({ intent: NO_INTENT, problems: [] });
  });

  const refusals: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ rotate: 'now' }, 'key rotate is none of rotateBefore, taint, revoke'],
    [{ rotateBefore: 'now' }, 'rotateBefore "now" is no RFC 3339 instant such as 2026-03-01T12:00:00Z'],
    [
      { rotateBefore: '2026-13-01T12:00:00Z' },
      'rotateBefore "2026-13-01T12:00:00Z" is no RFC 3339 instant such as 2026-03-01T12:00:00Z',
    ],
    [
      { taint: ID.toUpperCase() },
      `taint "${ID.toUpperCase()}" is no id of a generation: 16 hexadecimal digits in lower case`,
    ],
    [
      { revoke: `${'x'.repeat(41)}` },
      `revoke "${'x'.repeat(40)}..." is no id of a generation: 16 hexadecimal digits in lower case`,
    ],
    [{ revoke: ` ${ID}`.repeat(100) }, 'revoke is longer than 1024 characters'],
  ];
  for (const [data, problem] of refusals) {
    it(`refuses ${JSON.stringify(data).slice(0, 60)}, and with it all the rest`, () =>
      expect(readIntent({ taint: ID, ...data })).to.deep.equal({ intent: NO_INTENT, problems: [problem] }));
  }

  it('names every problem at once', () =>
    expect(readIntent({ a: '', taint: 'b', revoke: 'c' }).problems).to.have.length(3));
});
